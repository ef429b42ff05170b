import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../../src/contract/json-value.ts';
import { eventually } from '../../support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
  type TestWorker,
} from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

/** What the other side is asked when the worker is stopped, and the call that asks it. */
const PAUSED_AT = {
  settles: ['send:settles', 'send', { label: 'settles' }],
  turnedDown: ['send:turned-down', 'send', { label: 'turned-down' }],
  late: ['send:late', 'send', { label: 'late' }],
  cutLate: ['send:cut-late', 'send', { label: 'cut-late' }],
  known: ['send:known', 'send', { label: 'known' }],
  found: ['book:found', 'book', { label: 'found' }],
  gated: ['gate:gated', 'book', { label: 'gated' }],
  claim: ['charge:claim', 'charge', { label: 'claim' }],
  note: ['gate:note', 'note', { label: 'gated-note' }],
  // These have their claim, and have begun nothing.
  idle: ['parse:parsed-idle', 'send', { label: 'parsed-idle' }],
  idleKnown: ['parse:parsed-known', 'send', { label: 'parsed-known' }],
  idleAgain: ['parse:parsed-again', 'send', { label: 'parsed-again' }],
  idleTaken: ['parse:parsed-taken', 'book', { label: 'parsed-taken' }],
} as const satisfies Record<string, readonly [string, string, JsonValue]>;
type Case = keyof typeof PAUSED_AT;
const CASES = Object.keys(PAUSED_AT) as Case[];
const DID_NOT_HAPPEN = ['late', 'cutLate', 'idleAgain'] as const;
const HAPPENED = ['known', 'idleKnown'] as const;
const NOBODY_DECIDES = ['settles', 'turnedDown', 'idle'] as const;

/** A worker with this many steps at once is late with a heartbeat on a busy machine. */
const unhurried = { TEST_HEARTBEAT_MS: '5000', TEST_GRACE_MS: '120000' };

let system: TestSystem;
let paused: TestWorker;
const scopes = new Map<Case, string>();
/** The claim's row when the run had ended, and its worker was still stopped. */
let claimBefore: unknown;

const runOf = (which: Case) => ({ agent: 'tester', key: which });
const stepOf = (which: Case) => system.ledger.step(scopes.get(which) ?? '', 't1.c0');
const endOf = (which: Case) => untilEnd(system.client, runOf(which));
const untilWaiting = (which: Case) =>
  eventually(async () => {
    const view = await system.client.describe(runOf(which));
    expect({ which, status: view.status }).toEqual({ which, status: 'waiting' });
    return view;
  });
const decide = (which: Case, decision: 'happened' | 'did-not-happen') =>
  system.client.decide(runOf(which), { step: 't1.c0', decision, by: 'ann' });
const notes = async (which: Case) =>
  (await stepOf(which))?.errors.filter(({ code }) => code === 'step.late_effect') ?? [];
const letGo = (...cases: Case[]) => {
  for (const which of cases) system.counter.letGo(PAUSED_AT[which][0]);
};

/** One worker is stopped (SIGSTOP) in the middle of all these calls, and a second one takes over. */
beforeAll(async () => {
  system = await startTestSystem();
  for (const which of CASES) system.counter.hold(PAUSED_AT[which][0]);
  const [first, second] = await Promise.all([
    system.startWorker(unhurried),
    system.startWorker({ ...unhurried, TEST_STANDBY: '1' }),
  ]);
  paused = first;
  await Promise.all(
    CASES.map(async (which) => {
      const [, tool, args] = PAUSED_AT[which];
      const input = script(calls([tool, args]), { say: 'ok' });
      const { workflowId } = await system.client.start({ ...runOf(which), input });
      const { raw } = await system.temporal.workflow.getHandle(workflowId).describe();
      scopes.set(which, raw.workflowExecutionInfo?.firstRunId ?? '');
    }),
  );
  await eventually(() => {
    const asked = CASES.map((which) => [which, system.counter.requests(PAUSED_AT[which][0])]);
    expect(asked).toEqual(CASES.map((which) => [which, 1]));
  });
  process.kill(paused.pid, 'SIGSTOP');
  second.go();

  // What the stopped worker asked is answered, into sockets that nobody reads; what the second one
  // asks is answered at once.
  letGo('late', 'found', 'gated', 'claim', 'note', 'idleKnown', 'idleAgain', 'idleTaken');
  system.counter.cutHeld(PAUSED_AT.cutLate[0]);
  await Promise.all([...DID_NOT_HAPPEN, ...HAPPENED, ...NOBODY_DECIDES].map(untilWaiting));
  for (const which of DID_NOT_HAPPEN) await decide(which, 'did-not-happen');
  for (const which of HAPPENED) await decide(which, 'happened');
});
afterAll(async () => {
  await system.close();
});

describe('while a worker is stopped, past its leases,', () => {
  test('people who are asked about its calls see which process it is', async () => {
    const { waiting } = await untilWaiting('settles');
    expect(waiting).toMatchObject([{ step: 't1.c0', kind: 'outcome', error: null }]);
    expect(waiting[0]?.worker).toMatch(new RegExp(`^${paused.pid}@`));
  });

  test('a claim of it blocks nobody', async () => {
    expect(await endOf('claim')).toMatchObject({ status: 'completed', error: null });
    claimBefore = await stepOf('claim');
    expect(claimBefore).toMatchObject({ attempts: 2, unknownAttempts: 1 });
    expect(system.counter.effects('charge:claim')).toBe(1);
  });

  test('an open transaction of it blocks nobody', async () => {
    expect(await endOf('note')).toMatchObject({ status: 'completed', error: null });
    expect(await stepOf('note')).toMatchObject({ attempts: 2, unknownAttempts: 1 });
  });

  test('what it did is found by a reconcile tool', async () => {
    expect(await endOf('found')).toMatchObject({ status: 'completed' });
    expect(await stepOf('found')).toMatchObject({ knownBy: 'find', attempts: 2 });
    expect(system.counter.requests('book:found')).toBe(1);
  });

  test('what it did not do yet is done by a reconcile tool', async () => {
    expect(await endOf('gated')).toMatchObject({ status: 'completed' });
    expect(await stepOf('gated')).toMatchObject({ knownBy: null, attempts: 2 });
    expect(system.counter.requests('book:gated')).toBe(1);
  });

  test('what a person decided is done', async () => {
    for (const which of [...DID_NOT_HAPPEN, ...HAPPENED]) {
      expect(await endOf(which)).toMatchObject({ status: 'completed' });
      expect(await notes(which)).toEqual([]);
    }
    expect(system.counter.requests('send:late')).toBe(2);
    expect(system.counter.requests('send:known')).toBe(1);
    expect(system.counter.requests('send:parsed-again')).toBe(1);
    expect(system.counter.requests('send:parsed-known')).toBe(0);
  });

  test('what it had not begun is done by a reconcile tool', async () => {
    expect(await endOf('idleTaken')).toMatchObject({ status: 'completed' });
    expect(await stepOf('idleTaken')).toMatchObject({ knownBy: null, attempts: 2 });
    expect(system.counter.requests('book:parsed-taken')).toBe(1);
  });
});

describe('when it goes on,', () => {
  beforeAll(async () => {
    process.kill(paused.pid, 'SIGCONT');
    // Long enough for it to learn that it was given up: that must not end what may yet succeed.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await stepOf('settles'))?.state).toBe('unknown');
    expect((await stepOf('idle'))?.state).toBe('unknown');
    letGo('settles', 'turnedDown', 'known', 'idle');
  });

  test('its result settles a call about which nobody has decided: the run goes on without a person', async () => {
    expect(await endOf('settles')).toMatchObject({ status: 'completed', waiting: [] });
    expect(await stepOf('settles')).toMatchObject({ knownBy: null, attempts: 1 });
    expect(system.counter.requests('send:settles')).toBe(1);
  });

  test('its word that nothing happened does so too: the call is made again', async () => {
    expect(await endOf('turnedDown')).toMatchObject({ status: 'completed', waiting: [] });
    expect(system.counter.requests('send:turned-down')).toBe(2);
  });

  test.each(['late', 'cutLate'] as const)(
    'a call of which a person said that it did not happen is reported: %s',
    async (which) => {
      await eventually(async () =>
        expect(await notes(which)).toEqual([
          { code: 'step.late_effect', message: expect.stringContaining(String(paused.pid)) },
        ]),
      );
      expect(system.counter.requests(PAUSED_AT[which][0])).toBe(2);
    },
  );

  test('the effect that a reconcile tool did not find is reported', async () => {
    await eventually(async () => expect(await notes('gated')).toHaveLength(1));
    expect(system.counter.requests('book:gated')).toBe(2);
  });

  test('it does not begin a call about which nobody has decided: the call is made by the next attempt', async () => {
    expect(await endOf('idle')).toMatchObject({ status: 'completed', waiting: [] });
    expect(await stepOf('idle')).toMatchObject({ knownBy: null, attempts: 2 });
    expect(system.counter.requests('parsed:parsed-idle')).toBe(2);
    expect(system.counter.requests('send:parsed-idle')).toBe(1);
  });

  test.each([
    ['of which a person said that it happened', 'idleKnown', 'send:parsed-known', 0, 1, 'person'],
    ['that was made again after a person', 'idleAgain', 'send:parsed-again', 1, 2, null],
    ['that a reconcile tool has made since', 'idleTaken', 'book:parsed-taken', 1, 2, null],
  ] as const)(
    'it does not begin a call %s',
    async (_what, which, effect, effects, attempts, knownBy) => {
      // It has gone on with its arguments, and what comes after them has ended when it has stopped.
      const parsed = PAUSED_AT[which][0].replace('parse:', 'parsed:');
      await eventually(() => expect(system.counter.requests(parsed)).toBe(attempts));
      await paused.stop();
      expect(system.counter.requests(effect)).toBe(effects);
      expect(await stepOf(which)).toMatchObject({ state: 'completed', attempts, knownBy });
      expect(await notes(which)).toEqual([]);
    },
  );

  test('nothing else changes: what was known, found, deduplicated or rolled back', async () => {
    // It has done with all its steps when it has stopped in good order.
    await paused.stop();
    expect([await notes('known'), await notes('found')]).toEqual([[], []]);
    expect(await stepOf('claim')).toEqual(claimBefore);
    expect(system.counter.effects('charge:claim')).toBe(1);
    const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'gated-note'");
    expect(rows).toHaveLength(1);
  });
});
