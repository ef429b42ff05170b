import type { FaultPoint } from '../../src/activities/faults.ts';
import type { RunView } from '../../src/client/types.ts';
import type { OpenQuestion } from '../../src/contract/decision.ts';
import type { StepRecord } from '../../src/ledger/port.ts';
import { expect } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { calls, script, type TestSystem, type TestWorker } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

/** What is to come of a step whose worker died. */
interface Expected {
  /** How often the effect, or the model call, was asked for in the end. */
  requests: number;
  /** How often it happened: less than that where the other side deduplicates, or it was undone. */
  effects?: number;
  /** Whether a person has to say what happened. */
  asks?: true;
  knownBy?: 'find' | 'person';
}

const RECORDED = { requests: 1 } as const;
/** The table of `docs/promises.md`. */
const TABLE = {
  read: {
    'before-claim': RECORDED,
    'after-claim': RECORDED,
    'after-effect': { requests: 2 },
    'after-record': RECORDED,
    'before-report': RECORDED,
  },
  keyed: {
    'before-claim': RECORDED,
    'after-claim': RECORDED,
    'after-effect': { requests: 2, effects: 1 },
    'after-record': RECORDED,
    'before-report': RECORDED,
  },
  transactional: {
    'before-claim': RECORDED,
    'after-claim': RECORDED,
    'after-effect': RECORDED,
    'after-record': RECORDED,
    'before-report': RECORDED,
  },
  reconcile: {
    'before-claim': RECORDED,
    'after-claim': RECORDED,
    'after-effect': { requests: 1, knownBy: 'find' },
    'after-record': RECORDED,
    'before-report': RECORDED,
  },
  'at-most-once': {
    'before-claim': RECORDED,
    'after-claim': { requests: 1, asks: true },
    'after-effect': { requests: 1, asks: true, knownBy: 'person' },
    'after-record': RECORDED,
    'before-report': RECORDED,
  },
  model: {
    'before-claim': RECORDED,
    'after-claim': RECORDED,
    'after-effect': { requests: 2 },
    'after-record': RECORDED,
    'before-report': RECORDED,
  },
} as const satisfies Record<string, Record<FaultPoint, Expected>>;
export type StepClass = keyof typeof TABLE;
export const STEP_CLASSES = Object.keys(TABLE) as StepClass[];

/** The test agents' tool of each class. */
const TOOL: Record<Exclude<StepClass, 'model'>, string> = {
  read: 'look',
  keyed: 'charge',
  transactional: 'note',
  reconcile: 'book',
  'at-most-once': 'send',
};

/**
 * Workers that have loaded everything and wait to be told to begin, so that no test waits for the
 * start of a process.
 */
export class StandbyWorkers {
  readonly #system: TestSystem;
  readonly #ready: Promise<TestWorker>[];

  constructor(system: TestSystem) {
    this.#system = system;
    this.#ready = [this.#start(), this.#start()];
  }

  /** The next one; another is started in its place. */
  async take(): Promise<TestWorker> {
    this.#ready.push(this.#start());
    const worker = await this.#ready.shift();
    if (!worker) throw new Error('There is always one.');
    return worker;
  }

  #start(): Promise<TestWorker> {
    const worker = this.#system.startWorker({ TEST_STANDBY: '1' });
    // Whoever takes it hears of its failure; at the end of the suite nobody does.
    worker.catch(() => {});
    return worker;
  }
}

/** A step in which a worker is killed. */
interface KilledStep {
  which: StepClass;
  run: { agent: string; key: string };
  scope: string;
  label: string;
}

/**
 * Starts a run on a worker that dies at a point of its step, lets another worker take it over, and
 * checks what came of it against the table.
 */
export async function expectPromisesKept(
  system: TestSystem,
  workers: StandbyWorkers,
  which: StepClass,
  point: FaultPoint,
): Promise<void> {
  const expected: Expected = TABLE[which][point];
  const name = which === 'model' ? 'model' : TOOL[which];
  const label = `${point}-${which}`;
  const victim = await workers.take();
  const survivor = await workers.take();
  const turns = which === 'model' ? [] : [calls([name, { label }])];
  const run = { agent: 'tester', key: label };
  try {
    victim.go({ AGENT_ONCE_FAULT: `${point}:${name}` });
    const { workflowId } = await system.client.start({
      ...run,
      input: script(...turns, { say: 'ok' }),
    });
    const step: KilledStep = { which, run, label, scope: await system.scopeOf(workflowId) };
    expect(await victim.untilEnded(` at ${point}:${name}`)).toBe('SIGKILL');
    survivor.go();

    const asked = await untilQuiet(system, step, survivor);
    const before = await requestsOf(system, step);
    expect(asked ? before : undefined).toBe(
      expected.asks ? (expected.knownBy === 'person' ? 1 : 0) : undefined,
    );
    if (asked) {
      const decision = before > 0 ? 'happened' : 'did-not-happen';
      // By its round: Temporal's description of the run may not show yet what the run itself has told.
      await system.client.decide(run, { step: 't1.c0', round: asked.round, decision, by: 'ann' });
    }
    const view: RunView = await untilEnd(system.client, run);
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    expect({
      requests: await requestsOf(system, step),
      effects: await effectsOf(system, step),
    }).toEqual({
      requests: expected.requests,
      effects: expected.effects ?? expected.requests,
    });
    expect(await recordOf(system, step)).toMatchObject({
      state: 'completed',
      knownBy: expected.knownBy ?? null,
    });
  } finally {
    await Promise.all([victim.kill(), survivor.kill()]);
  }
}

/** Waits until the run has ended or asks a person; returns what it asks. */
async function untilQuiet(
  { client }: TestSystem,
  { run }: KilledStep,
  survivor: TestWorker,
): Promise<OpenQuestion | undefined> {
  return eventually(
    async () => {
      const { status, waiting } = await client.describe(run);
      expect(status).not.toBe('running');
      return waiting[0];
    },
    () => `The worker that was to take the run over wrote:\n${survivor.output()}`,
  );
}

async function requestsOf(
  system: TestSystem,
  { which, label, scope }: KilledStep,
): Promise<number> {
  if (which === 'model') return (await system.modelRequests()).byToken[`${scope}:t1.model`] ?? 0;
  if (which !== 'transactional') return system.counter.requests(`${TOOL[which]}:${label}`);
  const { rows } = await system.sql.query('SELECT 1 FROM notes WHERE label = $1', [label]);
  return rows.length;
}

/** What a server that honours idempotency keys does, however often it is asked. */
async function effectsOf(system: TestSystem, step: KilledStep): Promise<number> {
  return step.which === 'keyed'
    ? system.counter.effects(`charge:${step.label}`)
    : requestsOf(system, step);
}

function recordOf(
  { ledger }: TestSystem,
  { which, scope }: KilledStep,
): Promise<StepRecord | undefined> {
  return ledger.step(scope, which === 'model' ? 't1.model' : 't1.c0');
}
