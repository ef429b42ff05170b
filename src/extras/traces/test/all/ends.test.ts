import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCli, type RunningCli } from '../../../../../test/support/cli.ts';
import { eventually } from '../../../../../test/support/eventually.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../../test/support/system.ts';
import { untilEnd } from '../../../../../test/support/until-end.ts';
import { startReceiver, type ReceivedSpan, type Receiver } from '../receiver.ts';

let system: TestSystem;
let receiver: Receiver;
let worker: RunningCli;

async function startWorker(env: Record<string, string> = {}): Promise<RunningCli> {
  const started = startCli(['worker'], {
    ...system.env,
    TEST_AGENTS: 'of workers',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    ...env,
  });
  await eventually(() => expect(started.stderr()).toMatch(/Worker \d+ is ready/));
  return started;
}

beforeAll(async () => {
  // For the callers too: the lane of a run's model is pinned at its start.
  Object.assign(process.env, { TEST_LANE: 'fast', TEST_MODEL_LANE: 'fast' });
  [system, receiver] = await Promise.all([startTestSystem(), startReceiver()]);
  worker = await startWorker();
});
afterAll(async () => {
  delete process.env['TEST_LANE'];
  delete process.env['TEST_MODEL_LANE'];
  worker?.child.kill('SIGTERM');
  await worker?.ended;
  await receiver?.stop();
  await system?.close();
});

/** Starts a run that nobody traced, so its trace ID is its run ID. */
async function start(...answers: Parameters<typeof script>) {
  const { key, runId } = await system.client.start({ agent: 'tester', input: script(...answers) });
  const of = (name: string): ReceivedSpan[] =>
    receiver
      .spans()
      .filter((span) => span.traceId === runId.replaceAll('-', '') && span.name === name);
  const ends = (name: string) => of(name).map(({ attributes }) => attributes['agent_once.ended']);
  return { run: { agent: 'tester', key }, of, ends };
}

test('steps in the fast lane are traced like others, and say so', async () => {
  const { run, of } = await start(calls(['charge', { label: 'fast' }]), { say: 'done' });
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed' });
  const [whole] = await eventually(() => {
    expect(of('invoke_agent tester')).toHaveLength(1);
    return of('invoke_agent tester');
  });
  const steps = [...of('RunActivity:callModel'), ...of('RunActivity:tool.charge')];
  expect(steps).toHaveLength(3);
  for (const { parentSpanId, attributes } of steps) {
    expect(parentSpanId).toBe(whole?.spanId);
    expect(attributes).toMatchObject({ 'agent_once.lane': 'fast', 'agent_once.ended': 'executed' });
  }
  expect(of('execute_tool charge')).toHaveLength(1);
});

test('a step whose outcome nobody knows is marked so, and then as what a person said', async () => {
  system.counter.drop('send:cut');
  const { run, ends, of } = await start(calls(['send', { label: 'cut' }]), { say: 'done' });
  await eventually(() => expect(ends('RunActivity:tool.send')).toContain('unknown'));
  const decision = { step: 't1.c0', decision: 'happened', by: 'Ann', result: {} } as const;
  await eventually(() => system.client.decide(run, decision));
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed' });
  await eventually(() => expect(ends('invoke_agent tester')).toEqual(['completed']));
  expect(ends('RunActivity:tool.send').at(-1)).toBe('person');
  expect(of('execute_tool send')).toHaveLength(1);
});

test('a run that failed is an error by its code', async () => {
  const { run, of } = await start(calls(['flaky', { failures: 9 }]));
  const { error } = await untilEnd(system.client, run);
  const [whole] = await eventually(() => {
    expect(of('invoke_agent tester')).toHaveLength(1);
    return of('invoke_agent tester');
  });
  expect(whole).toMatchObject({
    failed: true,
    attributes: { 'agent_once.ended': 'failed', 'error.type': error?.code },
  });
});

test('a worker that ends by itself has sent its spans', async () => {
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  // Never, unless it is told to.
  worker = await startWorker({ OTEL_BSP_SCHEDULE_DELAY: '600000' });
  const { of } = await start(calls(['odd', { how: 'unencodable' }]));
  expect((await worker.ended).code).toBe(9);
  expect(of('RunActivity:tool.odd')).not.toEqual([]);
});
