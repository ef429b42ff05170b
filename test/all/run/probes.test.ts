import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findFreePort } from '../../../src/extras/dev/ports.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { startWays, type Ways } from '../../support/ways.ts';

let system: TestSystem;
let ways: Ways;
let port: number;
let worker: Awaited<ReturnType<TestSystem['startWorker']>>;

const WORKERS = { 'agent-once': 'RUNNING' };

beforeAll(async () => {
  system = await startTestSystem();
  ways = await startWays(system);
  port = await findFreePort();
  worker = await system.startWorker({
    ...ways.env,
    AGENT_ONCE_HEALTH_PORT: String(port),
    AGENT_ONCE_DRAIN: '3s',
  });
});
afterAll(async () => {
  await (system as TestSystem | undefined)?.close();
  await (ways as Ways | undefined)?.stop();
});

async function ask(path: string): Promise<[status: number, told: unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.json()];
}

test('a worker that polls, and whose servers answer, is live and ready', async () => {
  expect(await ask('/livez')).toEqual([200, { live: true, workers: WORKERS }]);
  const answers = { temporal: true, ledger: true };
  expect(await ask('/readyz')).toEqual([200, { ready: true, workers: WORKERS, answers }]);
  expect(await ask('/')).toEqual([404, { error: 'Only /livez, /readyz and /healthz are here.' }]);
});

test.each(['ledger', 'temporal'] as const)(
  'while its %s is frozen it is not ready, but live, and ready again after that',
  async (frozen) => {
    ways[frozen].holdAnswers();
    // What was known a second ago may still be told.
    await eventually(async () =>
      expect(await ask('/readyz')).toMatchObject([503, { ready: false }]),
    );
    const answers = { ledger: true, temporal: true, [frozen]: false };
    expect(await ask('/readyz')).toEqual([503, { ready: false, workers: WORKERS, answers }]);
    expect((await ask('/livez'))[0]).toBe(200);
    expect((await ask('/healthz'))[0]).toBe(200);
    ways[frozen].cut();
    await eventually(async () => expect((await ask('/readyz'))[0]).toBe(200));
  },
);

test('a worker that is told to stop is not ready at once, and live until it ends', async () => {
  const stopped = worker.stop();
  await eventually(async () => expect((await ask('/readyz'))[0]).toBe(503));
  expect((await ask('/livez'))[0]).toBe(200);
  await stopped;
});
