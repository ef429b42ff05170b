import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { cancelOnceClaimed } from '../../support/cancel-claimed.ts';
import { eventsOf } from '../../support/events-of.ts';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  process.env['TEST_LANE'] = 'fast';
  system = await startTestSystem();
});
afterAll(async () => {
  delete process.env['TEST_LANE'];
  await system.close();
});

type Arguments = { label: string } & Record<string, number | string>;

function inputOf(tool: string, args: Arguments) {
  return script(calls([tool, args]), { say: 'ok' });
}

/** A run of one tool call. */
async function start(tool: string, args: Arguments) {
  const { key, workflowId } = await system.client.start({
    agent: 'tester',
    input: inputOf(tool, args),
  });
  return { ref: { agent: 'tester', key }, workflowId };
}

test('calls are local activities, and all else is as in the standard lane', async () => {
  const worker = await system.startWorker();
  try {
    const { workflowId } = await system.client.start({
      agent: 'tester',
      key: 'lane',
      input: script(
        calls(['look', { label: 'one' }], ['charge', { label: 'two' }]),
        calls(['note', { label: 'three' }]),
        { say: 'ok' },
      ),
    });
    const view = await untilEnd(system.client, { agent: 'tester', key: 'lane' });
    expect(view).toMatchObject({
      status: 'completed',
      result: 'ok',
      usage: { modelCalls: 3, toolCalls: 3 },
    });
    // Three model steps; nobody else hears of the tools.
    expect(await eventsOf(system.temporal, workflowId)).toMatchObject({
      activityTaskScheduled: 3,
      markerRecorded: 3,
    });
    const { events } = await system.temporal.workflow.getHandle(workflowId).fetchHistory();
    const started = events?.[0]?.workflowExecutionStartedEventAttributes;
    expect(Number(started?.workflowTaskTimeout?.seconds)).toBe(3);
    const scope = await system.scopeOf(workflowId);
    for (const step of ['t1.c0', 't1.c1', 't2.c0']) {
      expect(await system.ledger.step(scope, step)).toMatchObject({
        state: 'completed',
        attempts: 1,
        knownBy: null,
      });
    }
    expect(system.counter.requests('charge:two')).toBe(1);
  } finally {
    await worker.stop();
  }
});

describe.each([
  { point: 'after-effect', requests: 2 },
  { point: 'before-report', requests: 1 },
])('a worker that is killed $point', ({ point, requests }) => {
  test('leaves one effect, whose step does not run again once it is recorded', async () => {
    const victim = await system.startWorker({ AGENT_ONCE_FAULT: `${point}:charge` });
    const { ref, workflowId } = await start('charge', { label: point });
    expect(await victim.untilEnded()).toBe('SIGKILL');
    const worker = await system.startWorker();
    try {
      const view = await untilEnd(system.client, ref);
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
      expect(system.counter.requests(`charge:${point}`)).toBe(requests);
      expect(system.counter.effects(`charge:${point}`)).toBe(1);
      const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.c0');
      expect(step).toMatchObject({ state: 'completed', attempts: requests });
    } finally {
      await worker.stop();
    }
  });
});

test.each(['note', 'book'])(
  'a worker that is killed after the effect of %s leaves one',
  async (tool) => {
    const victim = await system.startWorker({ AGENT_ONCE_FAULT: `after-effect:${tool}` });
    const { ref } = await start(tool, { label: 'once' });
    expect(await victim.untilEnded()).toBe('SIGKILL');
    const worker = await system.startWorker();
    try {
      const view = await untilEnd(system.client, ref);
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
      // What the first attempt wrote was rolled back; what it booked was found.
      const { rows } = await system.sql.query("SELECT 1 FROM notes WHERE label = 'once'");
      expect(tool === 'note' ? rows.length : system.counter.requests('book:once')).toBe(1);
    } finally {
      await worker.stop();
    }
  },
);

test('a token is not sent again once the other side may have forgotten it', async () => {
  const env = { TEST_FAST_MS: '1000', TEST_FAST_TOTAL_MS: '3000' };
  const victim = await system.startWorker({ ...env, AGENT_ONCE_FAULT: 'after-effect:charge' });
  const { ref, workflowId } = await start('charge', { label: 'late' });
  expect(await victim.untilEnded()).toBe('SIGKILL');
  const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.c0');
  await eventually(() =>
    expect(Date.now() - Date.parse(step?.claimedAt ?? '')).toBeGreaterThan(3_000),
  );
  const worker = await system.startWorker(env);
  try {
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'failed', error: { code: 'step.timed_out' } });
    expect(view.error?.message).toContain('before you resume the run');
    expect(system.counter.requests('charge:late')).toBe(1);
    // A person has found out, and wants it.
    await system.client.start({
      ...ref,
      input: inputOf('charge', { label: 'late' }),
      retryFailed: true,
    });
    const resumed = await untilEnd(system.client, ref);
    expect(resumed).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.effects('charge:late')).toBe(1);
  } finally {
    await worker.stop();
  }
});

test('a call of a tool that its worker lacks is made by one that has it', async () => {
  const victim = await system.startWorker({ AGENT_ONCE_FAULT: 'before-claim:look' });
  const { ref, workflowId } = await start('look', { label: 'lacking' });
  expect(await victim.untilEnded()).toBe('SIGKILL');
  const lacking = await system.startWorker({ TEST_WITHOUT_EFFECTS: 'read' });
  // The first model step was an ordinary activity, and the call is one by now.
  await eventually(async () =>
    expect(await eventsOf(system.temporal, workflowId)).toMatchObject({ activityTaskScheduled: 2 }),
  );
  const worker = await system.startWorker();
  try {
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    expect(await eventsOf(system.temporal, workflowId)).toMatchObject({
      activityTaskScheduled: 3,
      markerRecorded: 1,
    });
    expect(system.counter.requests('look:lacking')).toBe(1);
  } finally {
    await Promise.all([lacking.stop(), worker.stop()]);
  }
});

test('an attempt whose outcome nobody knows asks a person', async () => {
  const victim = await system.startWorker({ AGENT_ONCE_FAULT: 'after-effect:send' });
  const { ref } = await start('send', { label: 'unknown' });
  expect(await victim.untilEnded()).toBe('SIGKILL');
  const worker = await system.startWorker();
  try {
    await eventually(async () =>
      expect((await system.client.describe(ref)).status).toBe('waiting'),
    );
    await system.client.decide(ref, { step: 't1.c0', decision: 'happened', by: 'ann' });
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    expect(system.counter.requests('send:unknown')).toBe(1);
  } finally {
    await worker.stop();
  }
});

test('a cancellation reaches a call that waits for an answer, and its end is recorded', async () => {
  const worker = await system.startWorker({ TEST_FAST_MS: '10000' });
  try {
    const { ref, workflowId } = await start('sleepy_note', { label: 'cancelled', seconds: 60 });
    await cancelOnceClaimed(system, ref, workflowId);
  } finally {
    await worker.stop();
  }
});

test('a worker that is stopped gives a call back, and another one makes it', async () => {
  const first = await system.startWorker({ TEST_GRACE_MS: '300', TEST_FAST_MS: '10000' });
  // The tool has one attempt in all.
  const { ref, workflowId } = await start('once', { label: 'stopped' });
  await eventually(() => expect(system.counter.requests('once:stopped')).toBe(1));
  await first.stop();
  const step = await system.ledger.step(await system.scopeOf(workflowId), 't1.c0');
  expect(step).toMatchObject({ state: 'failed', errors: [{ code: 'step.interrupted' }] });
  const second = await system.startWorker({ TEST_ONCE_RETURNS: '1' });
  try {
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
  } finally {
    await second.stop();
  }
});

test('an attempt that takes too long counts, and its error is told', async () => {
  const worker = await system.startWorker({ TEST_FAST_MS: '300' });
  try {
    // The tool has one attempt in all, and ends when its time is over.
    const { ref, workflowId } = await start('once', { label: 'slow' });
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'failed', error: { code: 'step.timed_out' } });
    expect(await system.ledger.step(await system.scopeOf(workflowId), 't1.c0')).toMatchObject({
      state: 'failed',
      attempts: 1,
      errors: [{ code: 'step.timed_out' }],
    });
    expect(system.counter.requests('once:slow')).toBe(1);
  } finally {
    await worker.stop();
  }
});

test('with split task queues every step is in the standard lane', async () => {
  const env = { AGENT_ONCE_SPLIT_TASK_QUEUES: 'on' };
  const worker = await system.startWorker(env);
  try {
    const client = new AgentOnceClient({ temporal: system.temporal, splitTaskQueues: true });
    const { key, workflowId } = await client.start({
      agent: 'tester',
      input: script(calls(['look', { label: 'split' }]), { say: 'ok' }),
    });
    const view = await untilEnd(client, { agent: 'tester', key });
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    const events = await eventsOf(system.temporal, workflowId);
    expect(events).toMatchObject({ activityTaskScheduled: 3 });
    expect(events).not.toHaveProperty('markerRecorded');
  } finally {
    await worker.stop();
  }
});

test('another worker replays a run whose calls began to wait in one task, and goes on', async () => {
  const first = await system.startWorker();
  const labels = ['a', 'b', 'c', 'd', 'e'];
  const asked = labels.map((label): [string, { label: string; amount: number }] => [
    'spend',
    { label: `replay-${label}`, amount: 100 },
  ]);
  const run = { agent: 'tester', key: 'replayed' };
  await system.client.start({ ...run, input: script(calls(...asked), { say: 'ok' }) });
  const steps = await eventually(async () => {
    const { waiting } = (await system.client.state(run)) ?? { waiting: [] };
    if (waiting.length < labels.length) throw new Error(`${waiting.length} questions are asked`);
    return waiting.map(({ step }) => step);
  });
  await first.kill();
  const second = await system.startWorker();
  try {
    for (const step of steps) {
      await system.client.decide(run, { step, decision: 'approve', by: 'ann' });
    }
    expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed', waiting: [] });
    for (const label of labels) expect(system.counter.requests(`spend:replay-${label}`)).toBe(1);
  } finally {
    await second.stop();
  }
});
