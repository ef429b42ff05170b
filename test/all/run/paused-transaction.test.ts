import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await system.close();
});

test('a process that is paused with its transaction open costs an attempt, not the run', async () => {
  const { key } = await system.client.start({
    agent: 'tester',
    input: script(calls(['paused_note', { label: 'paused' }]), { say: 'ok' }),
  });
  const view = await untilEnd(system.client, { agent: 'tester', key });
  expect(view).toMatchObject({ status: 'completed', error: null });
  const { rows } = await system.sql.query(`SELECT token FROM notes WHERE label = 'paused'`);
  expect(rows).toHaveLength(1);
});
