import { describe, expect, test } from '@jest/globals';
import type { CountedEffect, Evidence, StepEvidence, StepNote } from '../evidence.ts';
import { judge } from '../verdict.ts';

const CLASSES = {
  look: 'read',
  charge: 'keyed',
  note: 'transactional',
  book: 'reconcile',
  send: 'at-most-once',
} as const;
type Tool = keyof typeof CLASSES;
const TOOLS = Object.keys(CLASSES) as Tool[];

/** An effect that process `pid` had at that time. */
function effectOf(tool: string, pid: number | null, at: number | null): CountedEffect {
  return { tool, label: 'one', pid, at };
}

const note = (code: string, message = ''): StepNote => ({ code, message });

/** What a process that acted late leaves in the ledger. */
const lateNote = (pid: number): StepNote =>
  note('step.late_effect', `An attempt on ${pid}@host that had been given up went on: …`);

/** One run in which nothing went wrong: the model asks for every tool once. */
function wellDone(): Evidence {
  const workflowId = 'agent-chaos-one';
  const step = (token: string, name: string, kind: 'model' | 'tool'): StepEvidence => ({
    token,
    workflowId,
    name,
    kind,
    state: 'completed',
    createdAt: 0,
    attempts: 1,
    unknownAttempts: 0,
    knownBy: null,
    errors: [],
    didNotHappenAt: [],
    approvedAt: [],
  });
  return {
    classes: CLASSES,
    approved: new Set(),
    runs: [
      {
        key: 'one',
        workflowId,
        expected: TOOLS.map((tool) => ({ tool, label: 'one' })),
        told: [true, false].map((replayed) => ({
          key: 'one',
          replayed,
          runId: 'r',
          status: 'completed',
          result: 'done',
          error: null,
        })),
      },
    ],
    effects: TOOLS.map((tool) => effectOf(tool, 1, 100)),
    zombies: [],
    modelRequests: { 's:t1.model': 1, 's:t2.model': 1 },
    steps: [
      step('s:t1.model', 'scripted', 'model'),
      ...TOOLS.map((tool, index) => step(`s:t1.c${index}`, tool, 'tool')),
      step('s:t2.model', 'scripted', 'model'),
    ],
    executions: [
      {
        workflowId,
        runId: 'r',
        status: 'COMPLETED',
        result: '"done"',
        failure: null,
        completions: {
          callModel: 2,
          ...Object.fromEntries(TOOLS.map((tool) => [`tool.${tool}`, 1])),
        },
      },
    ],
  };
}

/** What is found once the evidence is changed. */
function foundAfter(change: (evidence: Evidence) => void): string[] {
  const evidence = wellDone();
  change(evidence);
  const { clean, findings } = judge(evidence);
  expect(clean).toBe(findings.length === 0);
  return findings.map(({ what, class: kind }) => (kind === null ? what : `${what} ${kind}`));
}

const twice = (evidence: Evidence, tool: Tool, times = 2): void => {
  for (let more = 1; more < times; more += 1) {
    evidence.effects.push(effectOf(tool, 1 + more, 100 + 100 * more));
  }
};
const stepOf = ({ steps }: Evidence, name: string): StepEvidence => {
  const found = steps.find((step) => step.name === name);
  if (!found) throw new Error(`No step ${name}`);
  return found;
};
const executionOf = ({ executions: [execution] }: Evidence) => {
  if (!execution) throw new Error('No execution');
  return execution;
};

test('a run that went well is clean, and counted in its classes', () => {
  expect(foundAfter(() => undefined)).toEqual([]);
  const { classes } = judge(wellDone());
  expect(classes).toHaveLength(6);
  for (const { wanted, once } of classes) expect(once).toBe(wanted);
});

describe('an effect that there is twice', () => {
  test.each(['charge', 'note'] as const)('of %s is never allowed', (tool) => {
    const found = foundAfter((evidence) => {
      twice(evidence, tool);
      stepOf(evidence, tool).unknownAttempts = 1;
    });
    expect(found).toEqual([`doubled ${CLASSES[tool]}`]);
  });

  /** Twice, by processes 1 and 2; of `send` with a person's decision before the second. */
  const again = (tool: 'book' | 'send', change: (step: StepEvidence, all: Evidence) => void) =>
    foundAfter((evidence) => {
      twice(evidence, tool);
      const step = stepOf(evidence, tool);
      step.attempts = 2;
      step.unknownAttempts = 1;
      if (tool === 'send') step.didNotHappenAt = [150];
      change(step, evidence);
    });
  const zombie = { pid: 1, continuedAt: 90, killedAt: 110 };

  describe.each(['book', 'send'] as const)('of %s', (tool) => {
    const doubled = [`doubled ${CLASSES[tool]}`];

    test('is not excused by an attempt of unknown outcome', () => {
      expect(again(tool, () => undefined)).toEqual(doubled);
      expect(again(tool, (step) => step.errors.push(note('tool.failed')))).toEqual(doubled);
    });

    test('is excused by the note of a process that had one of them', () => {
      expect(again(tool, (step) => step.errors.push(lateNote(1)))).toEqual([]);
      expect(again(tool, (step) => step.errors.push(lateNote(3)))).toEqual(doubled);
    });

    test('is excused by a note where the requests do not say whose they are', () => {
      const nameless = (notes: StepNote[]) =>
        again(tool, (step, { effects }) => {
          for (const effect of effects) effect.pid = null;
          step.errors.push(...notes);
        });
      expect(nameless([])).toEqual(doubled);
      expect(nameless([lateNote(3)])).toEqual([]);
    });

    test('is excused by a stopped process that acted and was killed before it could tell', () => {
      const with_ = (change: Partial<typeof zombie> | { killedAt: null } | { continuedAt: null }) =>
        again(tool, (_step, evidence) => (evidence.zombies = [{ ...zombie, ...change }]));
      expect(with_({})).toEqual([]);
      expect(with_({ pid: 3 })).toEqual(doubled);
      // Before it was stopped, it was not late.
      expect(with_({ continuedAt: 101 })).toEqual(doubled);
      expect(with_({ continuedAt: null })).toEqual(doubled);
      expect(with_({ killedAt: null })).toEqual(doubled);
      // It had all the time to tell.
      expect(with_({ killedAt: 20_000 })).toEqual(doubled);
    });

    test('is excused once only', () => {
      const thrice = (notes: StepNote[]) =>
        again(tool, (step, evidence) => {
          evidence.effects.push(effectOf(tool, 3, 300));
          evidence.zombies = [zombie];
          step.attempts = 3;
          if (tool === 'send') step.didNotHappenAt = [150, 250];
          step.errors.push(...notes);
        });
      expect(thrice([])).toEqual(doubled);
      // What was noted and then killed is the same effect.
      expect(thrice([lateNote(1)])).toEqual(doubled);
      expect(thrice([lateNote(1), lateNote(1)])).toEqual(doubled);
      expect(thrice([lateNote(3)])).toEqual([]);
    });
  });

  test('of a reconcile step that ran again although find would have found it is a finding', () => {
    const found = foundAfter((evidence) => {
      twice(evidence, 'book');
      Object.assign(stepOf(evidence, 'book'), { attempts: 2, unknownAttempts: 1 });
    });
    expect(found).toEqual(['doubled reconcile']);
  });

  test('of look is no matter', () => {
    expect(foundAfter((evidence) => twice(evidence, 'look'))).toEqual([]);
  });
});

describe('an at-most-once step that ran again', () => {
  const ranAgain = (change: (step: StepEvidence) => void, times = 2) =>
    foundAfter((evidence) => {
      twice(evidence, 'send', times);
      const step = stepOf(evidence, 'send');
      Object.assign(step, { attempts: times, unknownAttempts: times - 1 });
      // So that only the question is left whether it was allowed.
      for (let pid = 1; pid < times; pid += 1) step.errors.push(lateNote(pid));
      change(step);
    });
  const unasked = ['not-asked at-most-once'];

  test('without anybody being asked is a finding', () => {
    expect(ranAgain(() => undefined)).toEqual(unasked);
    const notEvenNoted = ranAgain((step) => step.errors.splice(0));
    expect(notEvenNoted.toSorted()).toEqual(['doubled at-most-once', ...unasked]);
  });

  test('is none after a person decided that nothing had happened', () => {
    expect(ranAgain((step) => (step.didNotHappenAt = [150]))).toEqual([]);
    expect(ranAgain((step) => (step.didNotHappenAt = [250]))).toEqual(unasked);
  });

  test('is none after the tool said so', () => {
    const refused = note('tool.failed', 'NotApplied: The shop cannot be reached.');
    expect(ranAgain((step) => step.errors.push(refused))).toEqual([]);
    const failed = note('tool.failed', 'Error: The shop cannot be reached.');
    expect(ranAgain((step) => step.errors.push(failed))).toEqual(unasked);
  });

  test('needs a decision each time, before it', () => {
    expect(ranAgain((step) => (step.didNotHappenAt = [150]), 3)).toEqual(unasked);
    expect(ranAgain((step) => (step.didNotHappenAt = [250, 260]), 3)).toEqual(unasked);
    expect(ranAgain((step) => (step.didNotHappenAt = [150, 250]), 3)).toEqual([]);
  });

  test('is a finding also where the attempt before it had no effect', () => {
    const died = (change: (step: StepEvidence) => void) =>
      foundAfter((evidence) => {
        const step = stepOf(evidence, 'send');
        Object.assign(step, { attempts: 2, unknownAttempts: 1 });
        change(step);
      });
    expect(died(() => undefined)).toEqual(unasked);
    expect(died((step) => step.errors.push(note('step.did_not_happen')))).toEqual(unasked);
    expect(died((step) => (step.didNotHappenAt = [50]))).toEqual([]);
    // It threw before it began.
    expect(died((step) => step.errors.push(note('step.interrupted')))).toEqual([]);
  });
});

describe('a call that needs an approval', () => {
  const needing = (change: (step: StepEvidence, all: Evidence) => void) =>
    foundAfter((evidence) => {
      evidence.approved = new Set(['charge']);
      change(stepOf(evidence, 'charge'), evidence);
    });
  const denied = ({ runs: [run] }: Evidence): void => {
    for (const effect of run?.expected ?? []) {
      if (effect.tool === 'charge') effect.denied = true;
    }
  };

  test('is a finding where it was made before anybody approved it', () => {
    expect(needing(() => undefined)).toEqual(['not-approved keyed']);
    expect(needing((step) => (step.approvedAt = [150]))).toEqual(['not-approved keyed']);
    expect(needing((step) => (step.approvedAt = [50, 150]))).toEqual([]);
  });

  test('is a finding where it was made though a person denied it, and none where it was not', () => {
    const made = needing((step, evidence) => {
      step.approvedAt = [50];
      denied(evidence);
    });
    expect(made).toEqual(['not-approved keyed']);
    const notMade = needing((_step, evidence) => {
      denied(evidence);
      evidence.effects = evidence.effects.filter(({ tool }) => tool !== 'charge');
    });
    expect(notMade).toEqual([]);
  });
});

test.each(TOOLS)('an effect of %s that is missing is lost', (tool) => {
  const found = foundAfter((evidence) => {
    evidence.effects = evidence.effects.filter((effect) => effect.tool !== tool);
  });
  expect(found).toEqual([`lost ${CLASSES[tool]}`]);
});

test('an effect that nobody asked for is one too many', () => {
  expect(
    foundAfter(({ effects }) => effects.push({ ...effectOf('send', 1, 100), label: 'two' })),
  ).toEqual(['stray-effect']);
});

describe('the model', () => {
  const asked = (token: string, times: number, report?: (step: StepEvidence) => void) =>
    foundAfter((evidence) => {
      evidence.modelRequests[token] = times;
      const step = evidence.steps.find((one) => one.token === token);
      if (step) report?.(step);
    });

  test('may be asked again only as often as the ledger says of', () => {
    expect(asked('s:t1.model', 2)).toEqual(['model-paid-again model']);
    expect(asked('s:t1.model', 2, (step) => (step.unknownAttempts = 1))).toEqual([]);
    expect(asked('s:t1.model', 2, (step) => step.errors.push(note('step.interrupted')))).toEqual(
      [],
    );
    expect(asked('s:t1.model', 3, (step) => (step.unknownAttempts = 1))).toHaveLength(1);
  });

  test('is asked for steps alone, and for each', () => {
    expect(asked('stranger', 1)).toEqual(['model-stranger model']);
    expect(asked('s:t2.model', 0)).toEqual(['lost model']);
  });
});

describe('runs', () => {
  test('end well', () => {
    expect(foundAfter((evidence) => (executionOf(evidence).status = 'FAILED'))).toEqual([
      'not-completed',
    ]);
  });

  test('have one execution each, and there are no others', () => {
    const another = (workflowId?: string) =>
      foundAfter((evidence) => {
        const execution = executionOf(evidence);
        evidence.executions.push({ ...execution, workflowId: workflowId ?? execution.workflowId });
      });
    expect(another()).toEqual(['second-execution']);
    expect(another('agent-chaos-two')).toEqual(['second-execution']);
  });

  test('have every step in the ledger completed', () => {
    expect(foundAfter((evidence) => (stepOf(evidence, 'send').state = 'claimed'))).toEqual([
      'ledger-incomplete',
    ]);
  });

  test('have the same steps in history and ledger', () => {
    const found = foundAfter((evidence) => (executionOf(evidence).completions['tool.send'] = 2));
    expect(found).toEqual(['history-differs']);
  });

  test.each([
    ['another result', { result: 'other' }],
    ['another run', { runId: 'other' }],
    ['another status', { status: 'failed' }],
    ['an error', { error: 'key.conflict' }],
    ['that theirs is new', { replayed: false }],
  ])('tell nobody %s', (_what, other) => {
    const found = foundAfter(({ runs: [run] }) => {
      if (run?.told[0]) run.told[0] = { ...run.told[0], ...other };
    });
    expect(found).toEqual(['told-differently']);
  });

  test('tell somebody', () => {
    expect(foundAfter(({ runs: [run] }) => void run?.told.splice(0))).toEqual(['told-differently']);
  });
});
