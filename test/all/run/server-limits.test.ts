import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  startTemporalServer,
  type TemporalServer,
} from '../../../src/extras/dev/temporal-server.ts';
import { runCommand } from '../../support/cli.ts';
import { hasExtra } from '../../support/extras.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let server: TemporalServer;
let system: TestSystem;

beforeAll(async () => {
  // Where runs are long before the server asks for continue-as-new.
  server = await startTemporalServer({ dynamicConfig: { 'limit.historyCount.error': 40 } });
  process.env['TEST_TEMPORAL_ADDRESS'] = server.address;
  system = await startTestSystem();
  await system.startWorker();
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  await (server as TemporalServer | undefined)?.stop();
});

test('a run whose history the server finds too long: nobody is told that a person ended it', async () => {
  const looks = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((label) => calls(['look', { label }]));
  const run = { agent: 'tester', key: 'long', input: script(...looks, { say: 'never' }) };
  await system.client.start(run);
  const by = 'The Temporal server terminated the run at one of its limits, no person did:';
  expect(await untilEnd(system.client, run)).toMatchObject({
    status: 'failed',
    error: { code: 'run.terminated', message: expect.stringContaining(by) },
  });
  if (!hasExtra('explain')) return;
  const told = await runCommand(['explain', run.agent, run.key], system.env);
  expect(told.stdout).toContain(by);
  expect(told.stdout).toContain('terminated by the Temporal server at ');
  expect(told.stdout).toContain('see to the limit that its error names');
  expect(told.stdout).not.toContain('history-service');
});
