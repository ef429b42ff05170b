import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

test('a worker reads no turn from the ledger that it has recorded itself', async () => {
  const worker = await system.startWorker({ TEST_TELL_READS: '1' });
  const input = script(
    calls(['look', { label: 'one' }], ['charge', { label: 'two' }]),
    calls(['note', { label: 'three' }]),
    calls(['book', { label: 'four' }]),
    { say: 'ok' },
  );
  const run = await system.client.start({ agent: 'tester', input });
  expect(await untilEnd(system.client, run)).toMatchObject({ status: 'completed', result: 'ok' });
  expect(worker.output()).not.toContain('reads turns');
  // The model was shown all of them.
  const scope = await system.scopeOf(run.workflowId);
  const [last] = await system.receivedBy(`${scope}:t4.model`);
  expect(last?.body['messages']).toHaveLength(2 + 3 + 2 + 2);
  await worker.stop();
});
