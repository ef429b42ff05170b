import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findFreePort } from '../../../src/extras/dev/ports.ts';
import { startPostgres } from '../../../src/extras/dev/postgres-server.ts';
import { eventually } from '../../support/eventually.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let folder: string;
let postgres: Awaited<ReturnType<typeof startPostgres>>;
let system: TestSystem;
let healthPort: number;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'agent-once-outage-'));
  // PostgreSQL runs as another user when the tests run as root.
  await chmod(folder, 0o755);
  postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: false });
  system = await startTestSystem(postgres.url);
  healthPort = await findFreePort();
  await system.startWorker({
    AGENT_ONCE_HEALTH_PORT: String(healthPort),
    AGENT_ONCE_REFUSED_LIMIT: '1s',
  });
});
afterAll(async () => {
  await system.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a run whose database goes away in the middle goes on when it is back, and repeats nothing', async () => {
  const { key, workflowId } = await system.client.start({
    agent: 'tester',
    input: script(
      calls(['charge', { label: 'outage' }]),
      { ...(calls(['look', { label: 'outage' }]) as object), delayMs: 1_000 },
      { say: 'through' },
    ),
  });
  const { raw } = await system.temporal.workflow.getHandle(workflowId).describe();
  const scope = raw.workflowExecutionInfo?.firstRunId ?? '';
  const asked = async (step: string) => (await system.modelRequests()).byToken[`${scope}:${step}`];

  // The model is being asked: its answer will find no database to be recorded in.
  await eventually(async () => expect(await asked('t2.model')).toBe(1));
  const port = Number(new URL(postgres.url).port);
  await postgres.stop();
  await expect(system.ledger.steps(scope)).rejects.toMatchObject({ code: 'ledger.unreachable' });
  // Longer than the lease, so that the claim is over when the database is back.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect((await system.client.describe({ agent: 'tester', key })).status).toBe('running');
  // It is away for everybody: its worker waits for it, and nobody restarts it for that.
  const health = await fetch(`http://127.0.0.1:${healthPort}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({
    healthy: true,
    ledger: { unreachable: expect.stringContaining('since 20') },
  });

  postgres = await startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port,
    durable: false,
  });
  const view = await untilEnd(system.client, { agent: 'tester', key });
  expect(view).toMatchObject({ status: 'completed', result: 'through' });
  expect([await asked('t1.model'), await asked('t2.model'), await asked('t3.model')]).toEqual([
    1, 1, 1,
  ]);
  expect(system.counter.requests('charge:outage')).toBe(1);
  expect(system.counter.requests('look:outage')).toBe(1);
});
