import { describe, expect, test } from '@jest/globals';
import pc from 'picocolors';
import { nextSteps, withNextActions } from '../next-words.ts';
import { drawExplanation } from '../show-explanation.ts';
import { drawTime } from '../../../cli/show-run.ts';
import { drawTurns } from '../show-steps.ts';
import type { ErrorCode } from '../../../contract/errors.ts';
import type { JsonValue } from '../../../contract/json-value.ts';
import { NO_USAGE } from '../../../contract/run.ts';
import { EFFECTS } from '../../../contract/step.ts';
import { whetherHappened } from '../explain-steps.ts';
import type { ExplainedStep, Explanation } from '../explanation.ts';
import { notesOn } from '../notes.ts';
import { possiblyPaid } from '../possibly-paid.ts';
import { sumUsage } from '../sum-usage.ts';
import { summariseAnswer } from '../turn-summary.ts';

const NOW = new Date().toISOString();
const NO_STEPS = { ...NO_USAGE, deniedCalls: 0 };
const ALL = { cut: false, indexFailed: false };

function stepOf(more: Partial<ExplainedStep> = {}): ExplainedStep {
  return {
    id: 't1.model',
    turn: 1,
    kind: 'model',
    model: 'm',
    tool: null,
    summary: 'gave the final answer',
    token: 'run:t1.model',
    effect: null,
    happened: null,
    notRun: [],
    repeats: [],
    state: 'completed',
    attempts: 1,
    lastAttempts: 1,
    unknownAttempts: 0,
    errors: [],
    knownBy: 'executed',
    decidedBy: null,
    decision: null,
    executedIn: 'run',
    unusableAnswers: 0,
    possiblyPaidTwice: false,
    worker: '1@host',
    leaseLeftMs: null,
    claimedAt: NOW,
    endedAt: NOW,
    durationMs: 5,
    usage: { inputTokens: 10, outputTokens: 1, costUsd: 0.1 },
    ...more,
  };
}

function storyOf(more: Partial<Explanation> = {}): Explanation {
  return {
    workflowId: 'agent-a-k',
    namespace: 'default',
    agent: 'a',
    tenant: 'acme',
    key: 'k',
    status: 'completed',
    startedAt: NOW,
    closedAt: NOW,
    result: null,
    error: null,
    keyExpiresAt: null,
    keyTtlMs: null,
    request: null,
    executions: [],
    scope: 'run',
    steps: [],
    ledgerError: null,
    questions: [],
    waiting: [],
    usage: NO_STEPS,
    possiblyPaid: null,
    earlierRuns: null,
    reportedUsage: NO_USAGE,
    definitionChanged: null,
    live: null,
    notes: [],
    ui: 'http://ui.example',
    ...more,
  };
}

const failedWith = (code: ErrorCode, more: Partial<Explanation> = {}) =>
  nextSteps(storyOf({ status: 'failed', error: { code, message: 'x' }, ...more })).join('\n');

describe('money', () => {
  test('is summed without the noise of binary fractions', () => {
    const twice = [stepOf(), stepOf({ id: 't2.model', turn: 2, usage: usd(0.2) })];
    expect(sumUsage(twice)).toEqual({
      ...NO_STEPS,
      turns: 2,
      modelCalls: 2,
      inputTokens: 20,
      outputTokens: 2,
      costUsd: 0.3,
    });
  });

  test.each([
    ['a price is unknown', usd(null)],
    ['an endpoint reported no usage', null],
  ])('is unknown as soon as %s', (_, usage) => {
    expect(sumUsage([stepOf(), stepOf({ usage })]).costUsd).toBeNull();
  });

  test('of a failed call is not counted, nor is a call that was only planned', () => {
    const failed = stepOf({ state: 'failed', usage: null });
    const planned = stepOf({ id: 't7.c0', turn: 7, kind: 'tool', state: 'planned', usage: null });
    expect(sumUsage([failed, planned])).toEqual({ ...NO_STEPS, turns: 1 });
  });

  test('that the run reports otherwise is noted, but not while it runs', () => {
    const steps = [stepOf()];
    const reportedUsage = { ...sumUsage(steps), inputTokens: 7_000 };
    const differs = (status: Explanation['status']) =>
      notesOn(storyOf({ status, steps, usage: sumUsage(steps), reportedUsage }), ALL);
    expect(differs('completed')).toEqual([expect.stringContaining('reports another usage')]);
    expect(differs('running')).toEqual([]);
  });

  function usd(costUsd: number | null) {
    return { inputTokens: 10, outputTokens: 1, costUsd };
  }
});

describe('an attempt that ended without a word', () => {
  test.each(EFFECTS)('is told by the effect %s, and by no other', (effect) => {
    const note = (each: (typeof EFFECTS)[number]) =>
      notesOn(
        storyOf({
          steps: [
            stepOf({
              id: 't1.c0',
              kind: 'tool',
              tool: 'pay',
              summary: null,
              effect: each,
              unknownAttempts: 2,
            }),
          ],
          usage: null,
        }),
        ALL,
      );
    expect(note(effect)).toEqual([expect.stringMatching(/^2 attempts of t1\.c0 pay ended/)]);
    expect(EFFECTS.filter((each) => note(each)[0] === note(effect)[0])).toEqual([effect]);
  });
});

describe('whether an effect happened', () => {
  const STATES = ['completed', 'failed', 'claimed', 'unknown', 'planned'] as const;

  test.each<[(typeof EFFECTS)[number] | null, (string | null)[]]>([
    [null, [null, null, null, null, null]],
    ['read', [null, null, null, null, null]],
    ['keyed', ['yes', 'maybe', 'maybe', 'maybe', 'no']],
    ['transactional', ['yes', 'no', 'maybe', 'maybe', 'no']],
    ['reconcile', ['yes', 'maybe', 'maybe', 'maybe', 'no']],
    ['at-most-once', ['yes', 'no', 'maybe', 'maybe', 'no']],
  ])('of %s', (effect, expected) => {
    const told = STATES.map((state) =>
      whetherHappened({ effect, state, knownBy: null, scope: 'run' }),
    );
    expect(told).toEqual(expected);
  });

  test('in a shadow run: it did not, however its steps stand', () => {
    for (const state of STATES) {
      const step = { effect: 'keyed', state, knownBy: null, scope: 'shadow.run' } as const;
      expect(whetherHappened(step)).toBe('no');
    }
  });

  test.each(EFFECTS)('is said of a failed %s step, and the word explained', (effect) => {
    const tool = { kind: 'tool', tool: 'pay', summary: null, usage: null } as const;
    const failed = stepOf({ ...tool, id: 't1.c0', effect, state: 'failed', token: 'run:t1.c0' });
    const text = drawTurns(pc.createColors(false), [failed], storyOf()).join('\n');
    const said = {
      read: /effect: none/,
      keyed: /effect: may have happened[^]*run:t1\.c0[^]*another attempt is safe/,
      transactional: /effect: did not happen/,
      reconcile: /effect: may have happened[^]*asks the receiver first[^]*run:t1\.c0/,
      'at-most-once': /effect: did not happen/,
    };
    expect(text).toMatch(said[effect]);
    expect(text).toMatch(new RegExp(`^${effect}: `, 'm'));
    const unknown = { ...failed, state: 'unknown' } as const;
    expect(drawTurns(pc.createColors(false), [unknown], storyOf()).join('\n')).toContain(
      'outcome unknown',
    );
  });

  test('twice, by an attempt that had been given up: is said where it is looked for', () => {
    const errors = [{ code: 'step.late_effect', message: 'x' }];
    const late = stepOf({ id: 't1.c0', kind: 'tool', tool: 'pay', summary: null, errors });
    const story = storyOf({ steps: [late] });
    expect(drawExplanation(pc.createColors(false), story)).toMatch(
      /twice +possibly made twice: t1\.c0 pay/,
    );
    expect(notesOn(story, ALL)).toEqual([expect.stringContaining('may have happened twice')]);
  });
});

describe('money that may have been paid besides', () => {
  test.each<[string, Partial<ExplainedStep>, number, number | null]>([
    ['an attempt without a word', { unknownAttempts: 2 }, 2, 0.2],
    ['a claim that is over', { state: 'claimed', leaseLeftMs: -1, usage: null }, 1, null],
    [
      'a claim that is over, whose answer is made in the background',
      { state: 'claimed', leaseLeftMs: -1, isPending: true, usage: null },
      0,
      0,
    ],
    ['an answer still made', { errors: [{ code: 'model.pending', message: 'x' }] }, 0, 0],
    [
      'an answer made and lost',
      { errors: [{ code: 'model.response_lost', message: 'x' }], unusableAnswers: 1 },
      1,
      0.05,
    ],
    ['a stream that broke off', { errors: [{ code: 'model.broken_off', message: 'x' }] }, 1, 0.1],
    ['a claim that is not', { state: 'claimed', leaseLeftMs: 1, usage: null }, 0, 0],
    ['a call given up', { errors: [{ code: 'model.timeout', message: 'x' }] }, 1, 0.1],
    ['a call refused', { errors: [{ code: 'model.rejected', message: 'x' }] }, 0, 0],
  ])('%s', (_, more, calls, costUsd) => {
    expect(possiblyPaid([stepOf(more)])).toMatchObject({ calls, costUsd });
  });
});

describe('the head', () => {
  const head = (more: Partial<Explanation>) =>
    drawExplanation(pc.createColors(false), storyOf(more)).split('\n\n')[0];
  const call = (more: Partial<ExplainedStep>) =>
    stepOf({ id: 't1.c0', kind: 'tool', tool: 'pay', summary: null, usage: null, ...more });
  const error = { code: 'tool.failed', message: 'x' } as const;

  test.each<[string, Partial<ExplainedStep>, Partial<Explanation>, RegExp, RegExp]>([
    ['done', {}, {}, /1 turn ·/, /unsure|not done|denied|waits/],
    ['denied', { decision: 'deny' }, {}, /denied: t1\.c0 pay/, /unsure/],
    [
      'in doubt',
      { state: 'failed', happened: 'maybe' },
      { error },
      /unsure .*t1\.c0 pay/,
      /not done/,
    ],
    ['not done', { state: 'failed', happened: 'no' }, { error }, /not done: t1\.c0 pay/, /unsure/],
    [
      'held by an attempt when the run ended',
      { state: 'claimed', happened: 'maybe', leaseLeftMs: 5_000 },
      { error },
      /under way: t1\.c0 pay/,
      /unsure|not done/,
    ],
  ])('names a call that is %s once, and as that', (_, step, run, says, not) => {
    const text = head({ steps: [stepOf(), call(step)], ...run });
    expect(text).toMatch(says);
    expect(text).not.toMatch(not);
  });

  test.each<[string, Partial<ExplainedStep>[], Partial<Explanation>, number]>([
    ['that has ended well', [{}], {}, 1],
    ['that failed after a whole turn', [{}, { kind: 'tool', id: 't1.c0' }], { error }, 1],
    ['that failed between an answer and its calls', [{}], { error }, 0],
    ['whose second turn is under way', [{}, { turn: 2 }], { closedAt: null }, 1],
    ['with a call that failed', [{}, { id: 't1.c0', state: 'failed' }], { error }, 0],
  ])('counts the whole turns of a run %s', (_, steps, run, turns) => {
    const text = head({ steps: steps.map(stepOf), ...run });
    expect(text).toMatch(new RegExp(`done +${turns} turn`));
  });

  test('says why a cost is not known', () => {
    const priceless = { inputTokens: 1, outputTokens: 1, costUsd: null };
    const steps = [stepOf({ usage: priceless }), stepOf({ id: 't2.model', turn: 2, usage: null })];
    expect(head({ steps, usage: sumUsage(steps) })).toMatch(
      /cost +unknown · .*; no price was set for m \(MODEL_PRICES_FILE\); the endpoint told no usage of: t2\.model$/m,
    );
  });

  test('has a long error a sentence a line', () => {
    const message = `${'Long '.repeat(30)}text. Then this. And that.`;
    expect(head({ error: { ...error, message } })).toMatch(
      /text\.\n {12}Then this\.\n {12}And that\./,
    );
  });
});

test('what has a command is there for machines too, and a denied call counts apart', () => {
  const waits = {
    kind: 'outcome',
    step: 't1.c0',
    tool: 'pay',
    summary: 'pay',
    askedAt: NOW,
  } as const;
  const more = {
    deadline: NOW,
    otherwise: 'fail',
    worker: null,
    claimedAt: null,
    error: null,
  } as const;
  const waiting = [{ ...waits, ...more, round: 1 }];
  const { next } = withNextActions(storyOf({ status: 'waiting', closedAt: null, waiting }));
  expect(next.map(({ command }) => command)).toEqual(
    ['--happened', '--did-not-happen', '--fail']
      .map((flag) =>
        expect.stringMatching(new RegExp(` resolve a k t1\\.c0 --tenant acme ${flag}$`)),
      )
      .concat([expect.stringMatching(/ cancel a k --tenant acme$/)]),
  );
  expect(next.map(({ what }) => what).join()).not.toMatch(/^\$/m);
  const denied = stepOf({ id: 't1.c0', kind: 'tool', decision: 'deny' });
  const usage = sumUsage([denied]);
  expect(usage).toMatchObject({ toolCalls: 0, deniedCalls: 1 });
  // The run counts it: the model was given an answer.
  const reportedUsage = { ...NO_USAGE, toolCalls: 1 };
  expect(notesOn(storyOf({ steps: [denied], usage, reportedUsage }), ALL)).toEqual([]);
});

test('of an earlier execution the cause is told, and not what to do', () => {
  const execution = { status: 'failed', intent: 'new', startedAt: NOW, closedAt: NOW } as const;
  const rest = { predecessor: null, scope: 'run', startedBy: null, stopped: null };
  const error = { code: 'tool.failed', message: 'The shop is away. Mend it.' } as const;
  const executions = [
    { ...execution, ...rest, runId: '1', error },
    { ...execution, ...rest, runId: '2', error: null },
  ];
  const text = drawExplanation(pc.createColors(false), storyOf({ executions }));
  expect(text).toMatch(/ended with: The shop is away \(tool\.failed\)$/m);
});

test('the input, where it was asked for, cannot steer the terminal', () => {
  const draw = (input: JsonValue) =>
    drawExplanation(pc.createColors(false), storyOf({ request: { input, options: {} } }));
  expect(draw('Refund "it"')).toContain(String.raw`input     "Refund \"it\""`);
  expect(draw('a\n\u009b\u202eb')).toContain(String.raw`input     "a\n \u202eb"`);
});

describe('of a shadow run', () => {
  const step = stepOf({ kind: 'tool', tool: 'pay', effect: 'keyed', state: 'failed' });
  const shadow = { scope: 'shadow.run', steps: [{ ...step, happened: 'no' as const }] };
  const error = { code: 'tool.failed', message: 'x' } as const;
  const later = new Date(Date.now() + 60_000).toISOString();
  const past = new Date(0).toISOString();

  test.each<[string, Partial<Explanation>]>([
    ['that completed', { keyTtlMs: 1, keyExpiresAt: later }],
    ['that failed', { status: 'failed', error, keyTtlMs: 1, keyExpiresAt: later }],
    ['whose key has expired', { status: 'failed', error, keyTtlMs: 1, keyExpiresAt: past }],
    ['that was forgotten', { status: 'forgotten' }],
    ['without its ledger', { status: 'failed', error, steps: null }],
  ])('%s nobody is told that a later start makes its effects again', (_, more) => {
    const draw = (each: Partial<Explanation>) =>
      drawExplanation(pc.createColors(false), storyOf(each));
    expect(draw({ ...shadow, ...more })).not.toMatch(/effects? again|AGAIN/);
    // Of a real one somebody is.
    const real = { scope: 'run', steps: [{ ...step, happened: 'yes' as const }] };
    expect(draw({ ...real, ...more })).toMatch(/effects? again|AGAIN/);
  });
});

describe('what to do next', () => {
  test('is said for every way in which a run can stand', () => {
    for (const status of ['completed', 'failed', 'cancelled', 'waiting', 'forgotten'] as const) {
      expect(nextSteps(storyOf({ status })).join()).toContain('a');
      expect(nextSteps(storyOf({ status })).join()).toMatch(/agent-once|jest/);
    }
  });

  test('names the tenant and the commands', () => {
    expect(failedWith('tool.failed')).toContain(
      " start a --key k --tenant acme --retry-failed --input '<the same input>'",
    );
    expect(failedWith('tool.failed', { request: { options: {} } })).toMatch(
      /^\$ .* resume a k --tenant acme$/m,
    );
    expect(failedWith('tool.failed')).toContain(' forget a k --tenant acme');
  });

  test('of a call that diverged: mend what differs, and resume; a new run repeats effects', () => {
    const next = failedWith('step.diverged', { request: { options: {} } });
    expect(next).toContain('Deploy code that takes what is recorded');
    expect(next).toMatch(/ resume /);
    expect(next).toContain('Not a retry');
  });

  test('does not resume what would end in the same place', () => {
    for (const request of [null, { options: {} }]) {
      expect(failedWith('step.superseded', { request })).not.toMatch(/--retry-failed| resume /);
    }
  });

  test('resumes before the key expires, and says when that is', () => {
    const keyExpiresAt = new Date(Date.now() + 60_000).toISOString();
    const error = { code: 'tool.failed', message: 'x' } as const;
    const next = nextSteps(storyOf({ status: 'failed', error, keyExpiresAt })).join('\n');
    expect(next).toContain(`Resume it, before ${drawTime(keyExpiresAt)} (later`);
  });

  test('does not resume under a key that has expired', () => {
    const keyExpiresAt = new Date(0).toISOString();
    const next = nextSteps(storyOf({ status: 'failed', keyExpiresAt }));
    expect(next).toEqual([expect.stringMatching(/^The key has expired, .* makes a NEW run\.$/)]);
  });

  test('of a run without a worker: start one', () => {
    const live = {
      hasWorker: false,
      cancelRequested: false,
      turn: null,
      maxTurns: null,
      pending: [],
      workflowTaskAttempt: null,
    };
    const running = storyOf({ status: 'running', closedAt: null, live });
    expect(nextSteps(running)[0]).toMatch(/^No worker is polling\. Start one: .* worker$/);
    expect(notesOn(running, ALL)).toContain(
      'No worker polls for the run: it goes on when one is there.',
    );
    const stuck = { ...running, live: { ...live, hasWorker: true, workflowTaskAttempt: 7 } };
    expect(notesOn(stuck, ALL)).toEqual([expect.stringContaining('(attempt 7)')]);
  });
});

describe('what stands in the ledger', () => {
  test.each<[string, JsonValue]>([
    ['nothing', null],
    ['text', 'x'],
    ['a list', []],
    ['another version', { calls: 3, planned: 'x' }],
  ])('%s in the place of an answer has no summary, and breaks nothing', (_, result) => {
    expect(summariseAnswer(result)).toBeUndefined();
  });

  test('cannot steer the terminal', () => {
    const evil = '\u001b[2J\nfake line';
    const step = stepOf({ tool: evil, summary: evil, errors: [{ code: 'c', message: evil }] });
    const lines = drawTurns(pc.createColors(false), [step], storyOf());
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f]/);
    const error = { code: 'tool.failed', message: evil } as const;
    const drawn = drawExplanation(pc.createColors(false), storyOf({ error, notes: [evil] }));
    expect(drawn).not.toContain('\u001b');
    expect(drawn).not.toMatch(/^fake line/m);
  });

  test('is coloured where colours are wanted', () => {
    expect(drawExplanation(pc.createColors(true), storyOf({ steps: [stepOf()] }))).toContain(
      '\u001b[',
    );
  });
});
