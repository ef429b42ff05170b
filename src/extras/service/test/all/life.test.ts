import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTemporalServer } from '../../../dev/temporal-server.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import { startHttpSuite, type HttpSuite, type Sent } from '../support/http-suite.ts';
import { calls, script } from '../../../../../test/support/system.ts';

const TTL_SECONDS = 10;

let folder: string;
let temporal: Awaited<ReturnType<typeof startTemporalServer>>;
let suite: HttpSuite;
const shared = process.env['TEST_TEMPORAL_ADDRESS'];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-life-'));
  await chmod(folder, 0o755);
  // A server that asks to continue as new after a few turns, and not after some thousand events.
  temporal = await startTemporalServer({
    logFile: path.join(folder, 'temporal.log'),
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 30 },
  });
  process.env['TEST_TEMPORAL_ADDRESS'] = temporal.address;
  suite = await startHttpSuite({ TEST_KEY_TTL_SECONDS: String(TTL_SECONDS) });
  await suite.system.startWorker();
});
afterAll(async () => {
  process.env['TEST_TEMPORAL_ADDRESS'] = shared;
  await suite.close();
  await temporal.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Keys of this agent live a day, those of `tester` here `TTL_SECONDS`. */
const start = (key: string, body: unknown, more: Sent = {}) =>
  suite.start(`"${key}"`, body, { agent: 'thrifty', ...more });
const locationOf = (key: string, agent = 'thrifty') => `/v1/runs/agent-${agent}-${key}`;
const isReplay = (answer: Response) => answer.headers.get('idempotent-replayed') === 'true';
const runOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

const workflow = (key: string, agent = 'thrifty') =>
  suite.system.temporal.workflow.getHandle(`agent-${agent}-${key}`);

function ended(location: string): Promise<Record<string, unknown>> {
  return eventually(async () => {
    const run = await runOf(await suite.send('GET', location, { headers: { prefer: 'wait=5' } }));
    expect(run['closedAt']).not.toBeNull();
    return run;
  });
}

/** A body whose run fails as long as the counter refuses `charge:{label}`. */
function failing(label: string) {
  suite.system.counter.fail(`charge:${label}`);
  return {
    input: script(calls(['look', { label }]), calls(['charge', { label }]), { say: 'charged' }),
  };
}

/** A body whose run goes on until `look:{label}` is let go. */
function held(label: string) {
  suite.system.counter.hold(`look:${label}`);
  return looking(label);
}
const looking = (label: string) => ({
  input: script(calls(['look', { label }]), { say: `${label} done` }),
});

test('21 after its completion a run is replayed with its result; another body gets 422', async () => {
  const body = { input: script({ say: 'done' }) };
  const first = await start('k-21', body, { headers: { prefer: 'wait=50' } });
  expect(first.status).toBe(200);
  const { runId } = await runOf(first);
  const replay = await start('k-21', body);
  expect([replay.status, isReplay(replay)]).toEqual([202, true]);
  expect(replay.headers.get('retry-after')).toBeNull();
  expect(await runOf(replay)).toMatchObject({ runId, status: 'completed', result: 'done' });
  const waiting = await start('k-21', body, { headers: { prefer: 'wait=1' } });
  expect([waiting.status, isReplay(waiting)]).toEqual([200, true]);
  expect((await start('k-21', { input: 'else' })).status).toBe(422);
});

test('22, 27 after a failure it is replayed as failed, and resumed where that is asked for', async () => {
  const body = failing('k-22');
  const first = await start('k-22', body, { headers: { prefer: 'wait=50' } });
  expect(await runOf(first)).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
  const attempts = suite.system.counter.requests('charge:k-22');
  const replay = await start('k-22', body);
  expect(isReplay(replay)).toBe(true);
  expect(await runOf(replay)).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
  expect(suite.system.counter.requests('charge:k-22')).toBe(attempts);

  suite.system.counter.heal('charge:k-22');
  const resumed = await suite.send('POST', `${locationOf('k-22')}/resume`);
  expect(resumed.status).toBe(202);
  expect(await ended(locationOf('k-22'))).toMatchObject({ status: 'completed', result: 'charged' });
  const after = await start('k-22', body);
  expect(isReplay(after)).toBe(true);
  expect(await runOf(after)).toMatchObject({ status: 'completed', result: 'charged' });
  // What was recorded was not repeated.
  expect(suite.system.counter.requests('look:k-22')).toBe(1);
  expect(suite.system.counter.effects('charge:k-22')).toBe(1);
});

test('23 after a cancellation, a termination and a timeout it is replayed as it ended', async () => {
  await start('k-23t', held('k-23t'));
  // Runs have no timeout of their own: an operator can give them one. It is the same request.
  const { memo = {} } = await workflow('k-23t').describe();
  await suite.system.temporal.workflow.start('agentRun', {
    workflowId: 'agent-thrifty-k-23o',
    taskQueue: 'nobody',
    workflowExecutionTimeout: '1s',
    memo,
  });
  await start('k-23c', held('k-23c'));
  expect((await suite.send('POST', `${locationOf('k-23c')}/cancel`)).status).toBe(202);
  await ended(locationOf('k-23c'));
  suite.system.counter.letGo('look:k-23c');
  await workflow('k-23t').terminate('stuck');
  suite.system.counter.letGo('look:k-23t');

  const cancelled = await start('k-23c', looking('k-23c'));
  expect(isReplay(cancelled)).toBe(true);
  expect(await runOf(cancelled)).toMatchObject({
    status: 'cancelled',
    error: { code: 'run.cancelled' },
  });
  const terminated = await start('k-23t', looking('k-23t'));
  expect(isReplay(terminated)).toBe(true);
  expect(await runOf(terminated)).toMatchObject({
    status: 'failed',
    error: { code: 'run.terminated' },
  });
  await ended(locationOf('k-23o'));
  const timedOut = await start('k-23o', looking('k-23t'));
  expect(isReplay(timedOut)).toBe(true);
  expect(await runOf(timedOut)).toMatchObject({
    status: 'failed',
    error: { code: 'run.timed_out' },
  });
});

test('24 a run that continued as new, or was reset, keeps its ID, its address and its key', async () => {
  const looks = Array.from({ length: 7 }, (_, i) => calls(['look', { label: `k-24-${i}` }]));
  const body = { input: script(...looks, { say: 'at last' }) };
  const first = await start('k-24', body, { headers: { prefer: 'wait=50' } });
  const run = await ended(locationOf('k-24'));
  expect(run).toMatchObject({ status: 'completed', result: 'at last' });
  const firstRunId = (await workflow('k-24').describe()).raw.workflowExecutionInfo?.firstRunId;
  expect(run['runId']).not.toBe(firstRunId);
  const replay = await start('k-24', body);
  expect(isReplay(replay)).toBe(true);
  expect(replay.headers.get('location')).toBe(first.headers.get('location'));
  expect(await runOf(replay)).toMatchObject({ id: run['id'], result: 'at last' });

  await start('k-24r', looking('k-24r'));
  const { runId } = await ended(locationOf('k-24r'));
  const { events } = await workflow('k-24r').fetchHistory();
  const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  await suite.system.temporal.workflowService.resetWorkflowExecution({
    namespace: suite.system.temporal.options.namespace,
    workflowExecution: { workflowId: 'agent-thrifty-k-24r', runId: String(runId) },
    workflowTaskFinishEventId: firstTask?.eventId ?? null,
    requestId: crypto.randomUUID(),
    reason: 'test',
  });
  const again = await ended(locationOf('k-24r'));
  expect(again['runId']).not.toBe(runId);
  const afterReset = await start('k-24r', looking('k-24r'));
  expect(isReplay(afterReset)).toBe(true);
  expect(await runOf(afterReset)).toMatchObject({ runId: again['runId'], result: 'k-24r done' });
  expect(suite.system.counter.requests('look:k-24r')).toBe(1);
});

test('25 a key names its run until its time to live is over, and then a new one', async () => {
  const body = { input: script({ say: 'lives' }) };
  await start('k-25', body, { agent: 'tester' });
  const { closedAt, runId } = await ended(locationOf('k-25', 'tester'));
  const expires = Date.parse(String(closedAt)) + TTL_SECONDS * 1_000;
  let replays = 0;
  for (;;) {
    const askedAt = Date.now();
    const answer = await start('k-25', body, { agent: 'tester' });
    expect(answer.status).toBe(202);
    if (!isReplay(answer)) break;
    expect(await runOf(answer)).toMatchObject({ runId });
    // A replay was asked for before the end of its time, a new run comes after it.
    expect(askedAt).toBeLessThan(expires);
    replays += 1;
  }
  expect(Date.now()).toBeGreaterThanOrEqual(expires);
  expect(replays).toBeGreaterThan(0);
});

test('26 a key that was forgotten is new, for another body too; a running run is not forgotten', async () => {
  const first = await start('k-26', held('k-26'));
  const { runId } = await runOf(first);
  const forget = () => suite.send('POST', `${locationOf('k-26')}/forget`);
  const refused = await forget();
  expect(refused.status).toBe(409);
  expect(await runOf(refused)).toMatchObject({ code: 'run.still_running' });
  suite.system.counter.letGo('look:k-26');
  await ended(locationOf('k-26'));
  expect((await forget()).status).toBe(200);
  const gone = await suite.send('GET', locationOf('k-26'));
  expect(gone.status).toBe(404);
  const other = await start('k-26', { input: script({ say: 'new' }) });
  expect([other.status, isReplay(other)]).toEqual([202, false]);
  expect((await runOf(other))['runId']).not.toBe(runId);
  expect(await ended(locationOf('k-26'))).toMatchObject({ result: 'new' });
});

test('28 while its run goes on, a key does not expire', async () => {
  // Keys of this agent live two seconds.
  const agent = 'brief';
  const first = await start('k-28', held('k-28'), { agent });
  const { runId, startedAt } = await runOf(first);
  const longAgo = Date.parse(String(startedAt)) + 4_000;
  await eventually(() => expect(Date.now()).toBeGreaterThan(longAgo));
  const again = await start('k-28', looking('k-28'), { agent });
  expect(isReplay(again)).toBe(true);
  expect(await runOf(again)).toMatchObject({ runId, status: 'running' });
  suite.system.counter.letGo('look:k-28');
  expect(await ended(locationOf('k-28', agent))).toMatchObject({ runId, result: 'k-28 done' });
});
