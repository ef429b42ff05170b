import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { showStart } from '../../src/cli/show-start.ts';
import { script, startTestSystem, type TestSystem } from '../support/system.ts';
import { untilEnd } from '../support/until-end.ts';

let system: TestSystem;
let exitCode: typeof process.exitCode;

beforeAll(async () => {
  exitCode = process.exitCode;
  system = await startTestSystem();
});
afterAll(async () => {
  process.exitCode = exitCode;
  await system.close();
});

test('a start that attached to a run tells of it, also when the key was forgotten before it looked again', async () => {
  const run = { agent: 'tester', key: 'forgotten-meanwhile' };
  const request = { ...run, input: script({ say: 'ok' }) };
  await system.client.start(request);
  const attached = await system.client.start(request);
  expect(attached).toMatchObject({ replayed: true, closedAt: null });
  const worker = await system.startWorker();
  try {
    await untilEnd(system.client, run);
  } finally {
    await worker.stop();
  }
  await system.client.forget(run);

  const written: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await showStart(system.client, attached, { json: true }, 'http://ui');
  } finally {
    write.mockRestore();
  }
  expect(JSON.parse(written.join(''))).toMatchObject({ runId: attached.runId, replayed: true });
});
