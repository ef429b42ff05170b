import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { script, startTestSystem, type TestSystem } from '../support/system.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

test('extras wrap the parts of a worker, one after the other', async () => {
  await system.startWorker({ TEST_SIGNED_BY: 'first,second' });
  const run = await system.client.start({ agent: 'chooser', input: script({ say: 'ok' }) });
  const view = await system.client.result(run);
  expect(view).toMatchObject({ status: 'completed', result: 'ok, first, second' });
});
