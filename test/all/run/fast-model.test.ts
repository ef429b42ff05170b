import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventsOf } from '../../support/events-of.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { chatAnswer, startThreeEndpoints } from '../../support/three-endpoints.ts';
import { eventually } from '../../support/eventually.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  process.env['TEST_LANE'] = 'fast';
  process.env['TEST_MODEL_LANE'] = 'fast';
  system = await startTestSystem();
});
afterAll(async () => {
  delete process.env['TEST_LANE'];
  delete process.env['TEST_MODEL_LANE'];
  await system.close();
});

const input = script(calls(['look', { label: 'one' }], ['charge', { label: 'two' }]), {
  say: 'ok',
});

test('a run of a quick model with quick tools is local activities alone', async () => {
  const worker = await system.startWorker();
  try {
    const ref = { agent: 'tester', key: 'all-local' };
    const { workflowId } = await system.client.start({ ...ref, input });
    expect(await untilEnd(system.client, ref)).toMatchObject({
      status: 'completed',
      result: 'ok',
      usage: { modelCalls: 2, toolCalls: 2 },
    });
    const events = await eventsOf(system.temporal, workflowId);
    expect(events).toMatchObject({ markerRecorded: 4 });
    expect(events).not.toHaveProperty('activityTaskScheduled');
    const scope = await system.scopeOf(workflowId);
    for (const step of ['t1.model', 't2.model']) {
      expect(await system.ledger.step(scope, step)).toMatchObject({
        state: 'completed',
        attempts: 1,
      });
    }
  } finally {
    await worker.stop();
  }
});

test.each([
  { point: 'before-claim', requests: 1, unknownAttempts: 0 },
  { point: 'after-claim', requests: 1, unknownAttempts: 1 },
  { point: 'after-effect', requests: 2, unknownAttempts: 1 },
  { point: 'after-record', requests: 1, unknownAttempts: 0 },
  { point: 'before-report', requests: 1, unknownAttempts: 0 },
])(
  'a worker that is killed $point has its quick model asked $requests times for the turn',
  async ({ point, requests, unknownAttempts }) => {
    const victim = await system.startWorker({ AGENT_ONCE_FAULT: `${point}:model` });
    const ref = { agent: 'tester', key: point };
    const { workflowId } = await system.client.start({ ...ref, input });
    expect(await victim.untilEnded()).toBe('SIGKILL');
    const worker = await system.startWorker();
    try {
      const view = await untilEnd(system.client, ref);
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
      const scope = await system.scopeOf(workflowId);
      const { byToken } = await system.modelRequests();
      expect(byToken[`${scope}:t1.model`]).toBe(requests);
      expect(byToken[`${scope}:t2.model`]).toBe(1);
      const step = await system.ledger.step(scope, 't1.model');
      expect(step).toMatchObject({ state: 'completed', unknownAttempts });
    } finally {
      await worker.stop();
    }
  },
);

test('a worker that lacks the endpoint of a quick model leaves the step to any other', async () => {
  const models = await startThreeEndpoints();
  const { first: _first, ...others } = JSON.parse(models.env.TEST_MODELS) as Record<string, object>;
  const lacking = await system.startWorker({ TEST_MODELS: JSON.stringify(others) });
  try {
    models.first.reply(200, chatAnswer('from the other worker'));
    const ref = { agent: 'cautious', key: 'lacking' };
    const { workflowId } = await system.client.start({ ...ref, input: 'x' });
    // The step is in the standard lane from here on.
    await eventually(async () =>
      expect(await eventsOf(system.temporal, workflowId)).toMatchObject({
        activityTaskScheduled: 1,
      }),
    );
    const knowing = await system.startWorker(models.env);
    const view = await untilEnd(system.client, ref);
    expect(view).toMatchObject({ status: 'completed', result: 'from the other worker' });
    await knowing.stop();
  } finally {
    await lacking.stop();
    await models.stop();
  }
});
