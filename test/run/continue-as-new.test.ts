import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { startOwnTemporal, type OwnTemporal } from '../support/own-temporal.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let temporal: OwnTemporal;
let system: TestSystem;

beforeAll(async () => {
  // A server that asks for it after a few turns, and not after some thousand events.
  temporal = await startOwnTemporal({ 'limit.historyCount.suggestContinueAsNew': 30 });
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
  await temporal.stop();
});

test('a long run continues as new, and stays one run: its key, its usage, its steps', async () => {
  const looks = Array.from({ length: 7 }, (_, i) => calls(['look', { label: `long-${i}` }]));
  const request = { agent: 'tester', key: 'long', input: script(...looks, { say: 'at last' }) };
  const { workflowId, runId } = await system.client.start(request);
  const view = await untilEnd(system.client, request);
  expect(view).toMatchObject({
    status: 'completed',
    result: 'at last',
    usage: { turns: 8, modelCalls: 8, toolCalls: 7 },
  });
  expect(view.runId).not.toBe(runId);
  const current = await system.temporal.workflow.getHandle(workflowId).describe();
  const first = await system.temporal.workflow.getHandle(workflowId, runId).describe();
  expect(current.memo).toEqual(first.memo);
  expect(current.searchAttributes).toMatchObject({ AgentName: ['tester'] });
  expect(await system.client.start(request)).toMatchObject({ replayed: true, result: 'at last' });
  await expect(system.client.start({ ...request, input: 'other' })).rejects.toMatchObject({
    code: 'key.conflict',
  });
  const scope = first.raw.workflowExecutionInfo?.firstRunId ?? '';
  expect(await system.ledger.steps(scope)).toHaveLength(15);
});

test('a cancellation is not lost when a tool ends well in spite of it', async () => {
  const before = Array.from({ length: 4 }, (_, i) => calls(['look', { label: `before-${i}` }]));
  const request = {
    agent: 'tester',
    key: 'cancelled',
    input: script(
      ...before,
      calls(['deaf', { label: 'can', ms: 6_000 }]),
      calls(['look', { label: 'after' }]),
      { say: 'finished anyway' },
    ),
  };
  await system.client.start(request);
  await eventually(() => expect(system.counter.requests('deaf:can')).toBe(1));
  await system.client.cancel(request);
  const view = await untilEnd(system.client, request);
  expect(view.status).toBe('cancelled');
  expect(system.counter.requests('look:after')).toBe(0);
});

test('a long run that is resumed with another model keeps it when it continues as new', async () => {
  const looks = Array.from({ length: 6 }, (_, i) => calls(['look', { label: `other-${i}` }]));
  const request = {
    agent: 'tester',
    key: 'other',
    input: script(...looks, calls(['charge', { label: 'other' }]), { say: 'at last' }),
  };
  system.counter.fail('charge:other');
  const { workflowId } = await system.client.start(request);
  const failed = await untilEnd(system.client, request);
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool.failed' } });
  const scope = await system.scopeOf(workflowId);

  // What failed is a later execution of the run: it has the first request's options, not its input.
  system.counter.heal('charge:other');
  const limits = { reasoningEffort: 'low' };
  const other = { ...request, options: { model: 'model-b' }, limits, retryFailed: true };
  const resumed = await system.client.start(other);
  expect(resumed).toMatchObject({ resumed: true, replayed: false });
  const view = await untilEnd(system.client, request);
  expect(view).toMatchObject({ status: 'completed', result: 'at last' });
  expect(view.runId).not.toBe(resumed.runId);
  const [last, ...more] = await system.receivedBy(`${scope}:t8.model`);
  expect(last?.body).toMatchObject({ model: 'model-b', reasoning_effort: 'low' });
  expect(more).toEqual([]);
});
