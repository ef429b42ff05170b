import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CleanupInput, CleanupReport } from '../../../src/contract/cleanup.ts';
import type { JsonValue } from '../../../src/contract/json-value.ts';
import {
  AGENT_RUN,
  CLEANUP_SCHEDULE,
  LEDGER_CLEANUP,
  TASK_QUEUE,
} from '../../../src/contract/names.ts';
import { startTemporalServer } from '../../../src/extras/dev/temporal-server.ts';
import { stepClaim } from '../../ledger/steps.ts';
import { runCommand } from '../../support/cli.ts';
import { testWith } from '../../support/extras.ts';
import { eventually } from '../../support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
  type TestWorker,
} from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';
import { within } from '../../support/within.ts';

const HOUR_MS = 3_600_000;

let folder: string;
let server: Awaited<ReturnType<typeof startTemporalServer>>;
let system: TestSystem;
const shared = process.env['TEST_TEMPORAL_ADDRESS'];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-clean-'));
  await chmod(folder, 0o755);
  server = await startTemporalServer({
    logFile: path.join(folder, 'temporal.log'),
    // Continue-as-new after a few turns, for runs and for the cleaning itself.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 30 },
  });
  process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
  system = await startTestSystem();
});
afterAll(async () => {
  process.env['TEST_TEMPORAL_ADDRESS'] = shared;
  await system.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs that Temporal has forgotten: its deletions take long, so all are made at once. */
const GONE = ['killed', 'killed-again', 'late', 'asked-for', 'shared', 'scheduled'] as const;
const gone = new Map<string, Run>();

interface Run {
  key: string;
  agent: string;
  input: JsonValue;
  workflowId: string;
  /** Of the first execution. */
  runId: string;
  scope: string;
}

async function startRun(key: string, ...answers: Parameters<typeof script>): Promise<Run> {
  const request = { agent: 'tester', key, input: script(...answers) };
  const { workflowId, runId } = await system.client.start(request);
  return { ...request, workflowId, runId, scope: runId };
}

const endOf = (run: Run) => untilEnd(system.client, run);

async function finishedRun(key: string): Promise<Run> {
  const run = await startRun(key, calls(['charge', { label: key }]), { say: 'done' });
  expect(await endOf(run)).toMatchObject({ status: 'completed' });
  return run;
}

/** What Temporal does when the retention is over, at once. */
async function deleteExecutions(...runs: Pick<Run, 'workflowId' | 'runId'>[]): Promise<void> {
  const { workflowService, workflow, options } = system.temporal;
  for (const execution of runs) {
    await workflowService.deleteWorkflowExecution({
      namespace: options.namespace,
      workflowExecution: { workflowId: execution.workflowId, runId: execution.runId },
    });
  }
  await eventually(async () => {
    for (const { workflowId, runId } of runs) {
      await expect(workflow.getHandle(workflowId, runId).describe()).rejects.toThrow('not found');
      const listed: string[] = [];
      for await (const each of workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
        listed.push(each.runId);
      }
      expect(listed).not.toContain(runId);
    }
  });
}

/** Makes all rows of scopes as old as the retention, a day, and half a week more. */
async function age(...runs: Pick<Run, 'scope'>[]): Promise<void> {
  const scopes = [runs.map(({ scope }) => scope)];
  const by = "interval '4 days 12 hours'";
  await system.sql.query(
    `UPDATE agent_once.steps SET created_at = created_at - ${by}, claimed_at = claimed_at - ${by},
       ended_at = ended_at - ${by}, lease_until = lease_until - ${by} WHERE scope = ANY ($1)`,
    scopes,
  );
  await system.sql.query(
    `UPDATE agent_once.questions SET asked_at = asked_at - ${by}, decided_at = decided_at - ${by}
     WHERE scope = ANY ($1)`,
    scopes,
  );
}

let worker: TestWorker | undefined;

/** Another worker instead of the one before. */
async function work(env: Record<string, string> = {}): Promise<TestWorker> {
  await worker?.kill();
  worker = await system.startWorker(env);
  return worker;
}

let cleanings = 0;

async function startCleaning(more: Partial<CleanupInput> = {}) {
  return system.temporal.workflow.start(LEDGER_CLEANUP, {
    workflowId: `cleaning-${++cleanings}`,
    taskQueue: TASK_QUEUE,
    args: [{ queue: TASK_QUEUE, ...more }],
  });
}

const reportOf = (cleaning: { workflowId: string; result(): Promise<unknown> }) =>
  within(cleaning.result(), () => `${cleaning.workflowId} ended. ${worker?.output()}`);

async function clean(more: Partial<CleanupInput> = {}): Promise<CleanupReport> {
  const handle = await startCleaning(more);
  return (await reportOf(handle)) as CleanupReport;
}

async function rowsOf({ scope }: Pick<Run, 'scope'>): Promise<number> {
  const { rows } = await system.sql.query<{ rows: number }>(
    `SELECT (SELECT count(*) FROM agent_once.steps WHERE scope = $1)::int
          + (SELECT count(*) FROM agent_once.questions WHERE scope = $1)::int AS rows`,
    [scope],
  );
  return rows[0]?.rows ?? 0;
}

async function marksOf({ scope }: Pick<Run, 'scope'>): Promise<{ provisional: boolean }[]> {
  const text = 'SELECT provisional FROM agent_once.retired_scopes WHERE scope = $1';
  return (await system.sql.query<{ provisional: boolean }>(text, [scope])).rows;
}

const claimIn = ({ scope }: Pick<Run, 'scope'>) =>
  system.ledger.claim(stepClaim({ scope, step: 't9.c0' }));

const activity = ({ workflowId }: Run) => ({
  namespace: system.temporal.options.namespace,
  execution: { workflowId },
  type: 'tool.look',
});
const pauseTool = (run: Run) => system.temporal.workflowService.pauseActivity(activity(run));
const unpauseTool = (run: Run) => system.temporal.workflowService.unpauseActivity(activity(run));

async function reset({ workflowId, runId }: Run): Promise<string> {
  const { events } = await system.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  const answer = await system.temporal.workflowService.resetWorkflowExecution({
    namespace: system.temporal.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: firstTask?.eventId ?? null,
    requestId: crypto.randomUUID(),
    reason: 'test',
  });
  return answer.runId;
}

describe('cleaning', () => {
  const runs = {} as Record<
    | 'gone'
    | 'young'
    | 'closed'
    | 'indexed'
    | 'running'
    | 'waiting'
    | 'reset'
    | 'continued'
    | 'resumed'
    | 'forgotten'
    | 'successor',
    Run
  >;
  let dry: CleanupReport;
  let rowsAfterDry: number;
  let report: CleanupReport;
  const before = new Map<string, number>();

  beforeAll(async () => {
    const first = await work();
    makingGone = makeGone();
    const looks = Array.from({ length: 7 }, (_, i) => calls(['look', { label: `long-${i}` }]));
    system.counter.fail('charge:resumed');
    system.counter.hold('look:held');
    [
      runs.gone,
      runs.young,
      runs.closed,
      runs.indexed,
      runs.reset,
      runs.continued,
      runs.running,
      runs.waiting,
      runs.resumed,
      runs.forgotten,
    ] = await Promise.all([
      finishedRun('gone'),
      finishedRun('young'),
      finishedRun('closed'),
      finishedRun('indexed'),
      finishedRun('reset'),
      startRun('continued', ...looks, { say: 'at last' }),
      startRun(
        'running',
        calls(['look', { label: 'before' }]),
        calls(['look', { label: 'held' }]),
        {
          say: 'ran on',
        },
      ),
      startRun('waiting', calls(['spend', { label: 'waiting', amount: 500 }]), { say: 'approved' }),
      startRun('resumed', calls(['charge', { label: 'resumed' }]), { say: 'resumed' }),
      finishedRun('forgotten'),
    ]);
    expect(await endOf(runs.continued)).toMatchObject({ status: 'completed' });
    expect(await endOf(runs.resumed)).toMatchObject({ status: 'failed' });
    await reset(runs.reset);
    expect(await endOf(runs.reset)).toMatchObject({ status: 'completed' });
    system.counter.heal('charge:resumed');
    await system.client.start({ ...runs.resumed, retryFailed: true });
    expect(await endOf(runs.resumed)).toMatchObject({ status: 'completed' });
    await system.client.forget(runs.forgotten);
    runs.successor = await finishedRun('forgotten');
    const { memo } = await system.temporal.workflow.getHandle(runs.successor.workflowId).describe();
    runs.successor.scope = (memo as { scope: string }).scope;
    await eventually(async () => {
      expect((await system.client.describe(runs.waiting)).status).toBe('waiting');
      expect(system.counter.requests('look:held')).toBe(1);
    });
    await makingGone;
    // Its worker is gone, its step's lease with it, and nobody takes it over for now.
    await pauseTool(runs.running);
    await first.kill();

    const { young, forgotten, reset: old, continued, resumed } = runs;
    await deleteExecutions(runs.gone, young, forgotten, old, continued, resumed);
    // Nothing but Temporal's index knows of this one: its key and its rows point elsewhere.
    await system.client.forget(runs.indexed);
    await system.sql.query('UPDATE agent_once.steps SET run_id = $2 WHERE scope = $1', [
      runs.indexed.scope,
      crypto.randomUUID(),
    ]);
    await age(...Object.values(runs).filter((run) => run !== young));
    for (const run of Object.values(runs)) before.set(run.scope, await rowsOf(run));

    await work();
    dry = await clean({ dryRun: true });
    rowsAfterDry = await rowsOf(runs.gone);
    report = await clean({ batch: 1 });
  });

  const kept = async (run: Run) => {
    expect(before.get(run.scope)).toBeGreaterThan(0);
    expect(await rowsOf(run)).toBeGreaterThanOrEqual(before.get(run.scope) ?? Infinity);
    expect((await claimIn(run)).state).toBe('claimed');
  };

  test('says what it would remove, and removes nothing, when it is only asked to look', () => {
    expect(dry).toMatchObject({ dryRun: true, looked: 10, removed: 2, refused: null });
    expect(dry.rows).toEqual({ steps: 0, questions: 0, shares: 0 });
    expect(rowsAfterDry).toBe(3);
  });

  test('reports what it removed, and what it kept and why, over all its batches', () => {
    expect(report).toEqual({
      dryRun: false,
      looked: 10,
      removed: 2,
      kept: { running: 2, retained: 6, found: 0 },
      unmarked: 0,
      rows: { steps: 6, questions: 0, shares: 0 },
      bytes: expect.any(Number),
      refused: null,
    });
    expect(report.bytes).toBeGreaterThan(0);
  });

  test('continued as new on the way', async () => {
    const handle = system.temporal.workflow.getHandle(`cleaning-${cleanings}`);
    const { raw, runId } = await handle.describe();
    expect(raw.workflowExecutionInfo?.firstRunId).not.toBe(runId);
  });

  test('removes a finished run that Temporal has forgotten; nothing is claimed there again', async () => {
    expect(await rowsOf(runs.gone)).toBe(0);
    expect(await claimIn(runs.gone)).toEqual({ state: 'superseded' });
    expect(await marksOf(runs.gone)).toEqual([{ provisional: false }]);
  });

  test('removes what a forgotten key left behind, and not what its new run recorded', async () => {
    expect(runs.successor.scope).not.toBe(runs.forgotten.scope);
    expect(await rowsOf(runs.forgotten)).toBe(0);
    expect(await claimIn(runs.forgotten)).toEqual({ state: 'superseded' });
    await kept(runs.successor);
  });

  test('keeps a run that is younger, though Temporal has forgotten it', () => kept(runs.young));
  test('keeps a closed run that Temporal still retains', () => kept(runs.closed));
  test('keeps one that only the index of Temporal knows', () => kept(runs.indexed));
  test('keeps a run of which a reset is retained', () => kept(runs.reset));
  test('keeps a run whose continuation is retained', () => kept(runs.continued));
  test('keeps the scope that a resumed run shares with a deleted one', () => kept(runs.resumed));

  test('keeps a run that is under way, which goes on with what it recorded', async () => {
    await kept(runs.running);
    system.counter.letGo('look:held');
    await unpauseTool(runs.running);
    expect(await endOf(runs.running)).toMatchObject({ status: 'completed', result: 'ran on' });
    expect(system.counter.requests('look:before')).toBe(1);
  });

  test('keeps a run that waits for a person, and the question', async () => {
    await kept(runs.waiting);
    await system.client.decide(runs.waiting, {
      step: 't1.c0',
      decision: 'approve',
      by: 'ada',
    });
    expect(await endOf(runs.waiting)).toMatchObject({ status: 'completed', result: 'approved' });
    expect(system.counter.effects('spend:waiting')).toBe(1);
  });
});

let makingGone: Promise<void> | undefined;

async function makeGone(): Promise<void> {
  for (const key of GONE) gone.set(key, await finishedRun(key));
  await deleteExecutions(...gone.values());
}

/** A finished run that Temporal has forgotten, now old enough to go. */
async function goneRun(key: (typeof GONE)[number]): Promise<Run> {
  if (!worker) await work();
  await (makingGone ??= makeGone());
  const run = gone.get(key);
  if (!run) throw new Error(`No run ${key}`);
  await age(run);
  return run;
}

describe('a cleaning that is killed between its mark and its deletion', () => {
  test('is taken up by the next one', async () => {
    const run = await goneRun('killed');
    const rows = await rowsOf(run);
    const dying = await work({ AGENT_ONCE_FAULT: 'after-claim:cleanLedger' });
    const first = await startCleaning();
    expect(await dying.untilEnded()).toBe('SIGKILL');
    await first.terminate('test');
    expect(await marksOf(run)).toEqual([{ provisional: true }]);
    expect(await rowsOf(run)).toBe(rows);

    await work();
    expect(await clean()).toMatchObject({ removed: 1, unmarked: 0 });
    expect(await rowsOf(run)).toBe(0);
    expect(await claimIn(run)).toEqual({ state: 'superseded' });
  });

  test('is taken up by its own next attempt', async () => {
    const run = await goneRun('killed-again');
    const dying = await work({ AGENT_ONCE_FAULT: 'after-claim:cleanLedger' });
    const cleaning = await startCleaning();
    expect(await dying.untilEnded()).toBe('SIGKILL');
    await work();
    expect(await reportOf(cleaning)).toMatchObject({ removed: 1 });
    expect(await rowsOf(run)).toBe(0);
  });

  test('leaves no mark on a run that is there after all', async () => {
    const run = await startRun('marked', calls(['spend', { label: 'marked', amount: 100 }]), {
      say: 'went on',
    });
    await eventually(async () =>
      expect((await system.client.describe(run)).status).toBe('waiting'),
    );
    await age(run);
    await system.ledger.cleaner?.mark([run.scope]);
    expect((await claimIn(run)).state).toBe('superseded');
    expect(await clean()).toMatchObject({ unmarked: 1, removed: 0 });
    expect(await marksOf(run)).toEqual([]);
    await system.client.decide(run, { step: 't1.c0', decision: 'approve', by: 'ada' });
    expect(await endOf(run)).toMatchObject({ status: 'completed', result: 'went on' });
  });
});

test('a run that begins between the two questions keeps its rows, and the report says so', async () => {
  const run = await goneRun('late');
  const rows = await rowsOf(run);
  const lock = await system.sql.connect();
  let cleaning;
  try {
    // The first question is answered when the mark waits for this lock.
    await lock.query('BEGIN; LOCK TABLE agent_once.retired_scopes IN SHARE MODE');
    cleaning = await startCleaning();
    await eventually(async () => {
      const { rowCount } = await system.sql.query(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO agent_once.retired_scopes%'",
      );
      expect(rowCount).toBe(1);
    });
    await system.temporal.workflow.start(AGENT_RUN, {
      workflowId: run.workflowId,
      // Nobody works on it: whether its rows are there is all that counts.
      taskQueue: 'nobody',
      memo: { scope: run.scope, intent: 'resume' },
      args: [],
    });
  } finally {
    await lock.query('COMMIT');
    lock.release();
  }
  expect(await reportOf(cleaning)).toMatchObject({ removed: 0, kept: { found: 1 } });
  expect(await rowsOf(run)).toBe(rows);
  expect(await marksOf(run)).toEqual([]);
});

testWith('maintenance')('people look first, and then clean, by the command', async () => {
  const run = await goneRun('asked-for');
  const look = await runCommand(['cleanup', '--dry-run'], system.env);
  expect(look).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^Ledger looked through: \d+ old scopes, 1 would be removed; kept:/,
    ),
  });
  expect(await rowsOf(run)).toBe(3);
  const { code, stdout } = await runCommand(['cleanup', '--json'], system.env);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ dryRun: false, removed: 1, rows: { steps: 3 } });
  expect(await rowsOf(run)).toBe(0);
});

test('a ledger that runs of another namespace use is not cleaned: only that one knows of them', async () => {
  const run = await goneRun('shared');
  const other = { id: crypto.randomUUID(), name: 'elsewhere' };
  await system.ledger.cleaner?.register(other);
  try {
    const worker = await work({ AGENT_ONCE_CLEANUP: '1h' });
    expect(worker.output()).toContain(
      'The ledger is not cleaned: runs of other Temporal namespaces',
    );
    expect(await clean()).toMatchObject({
      looked: 0,
      removed: 0,
      refused: expect.stringContaining('"elsewhere"'),
    });
    expect(await rowsOf(run)).toBeGreaterThan(0);
  } finally {
    await system.sql.query('DELETE FROM agent_once.homes WHERE id = $1', [other.id]);
  }
  expect(await clean()).toMatchObject({ removed: 1, refused: null });
  await work();
});

describe('the Schedule', () => {
  const handle = () => system.temporal.schedule.getHandle(CLEANUP_SCHEDULE);
  const everyOf = async () => (await handle().describe()).spec.intervals?.[0]?.every;

  test('is made once by workers that start together, and never overlaps itself', async () => {
    const workers = await Promise.all(
      Array.from({ length: 3 }, () => system.startWorker({ AGENT_ONCE_CLEANUP: '2h' })),
    );
    for (const one of workers) expect(one.output()).not.toContain('Schedule');
    const { spec, policies, action } = await handle().describe();
    expect(spec.intervals).toEqual([expect.objectContaining({ every: 2 * HOUR_MS })]);
    expect(policies.overlap).toBe('SKIP');
    expect(action).toMatchObject({ workflowType: LEDGER_CLEANUP, taskQueue: TASK_QUEUE });
    await Promise.all(workers.map((worker) => worker.kill()));
  });

  test('keeps what an operator changed: the pause for good, the interval until the setting changes', async () => {
    await handle().pause('not this week');
    await handle().update((schedule) => ({
      ...schedule,
      spec: { intervals: [{ every: 5 * HOUR_MS }] },
    }));
    const same = await system.startWorker({ AGENT_ONCE_CLEANUP: '2h' });
    expect(await everyOf()).toBe(5 * HOUR_MS);
    await same.kill();
    const changed = await system.startWorker({ AGENT_ONCE_CLEANUP: '3h' });
    expect(await everyOf()).toBe(3 * HOUR_MS);
    expect((await handle().describe()).state).toMatchObject({
      paused: true,
      note: 'not this week',
    });
    await changed.kill();
  });

  test('is removed by a worker that shall not clean, and made again', async () => {
    const off = await system.startWorker({ AGENT_ONCE_CLEANUP: 'off' });
    await expect(handle().describe()).rejects.toThrow('not found');
    await off.kill();
  });

  test('starts the cleaning', async () => {
    const run = await goneRun('scheduled');
    const worker = await work({ AGENT_ONCE_CLEANUP: '1s' });
    await eventually(async () => expect(await rowsOf(run)).toBe(0));
    await eventually(() =>
      expect(worker.output()).toMatch(/Ledger cleaned: .* 1 removed \(3 rows/),
    );
    const [action] = (await handle().describe()).info.recentActions;
    const { workflowId } = action?.action.workflow ?? { workflowId: '' };
    expect(await system.temporal.workflow.getHandle(workflowId).result()).toMatchObject({
      refused: null,
    });
    await work();
  });
});
