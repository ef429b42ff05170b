import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { findFreePort } from '../../../src/extras/dev/ports.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { untilEnd } from '../../support/until-end.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

/** What a part is not given: docs/production.md says which secrets each needs. */
const WITHOUT = {
  workflows: { LEDGER_URL: 'postgres://nobody@127.0.0.1:1/none', OPENAI_BASE_URL: '' },
  model: { TEST_COUNTER_URL: '' },
  tools: { OPENAI_BASE_URL: '' },
};

test('workflows, model calls and tools run in workers of their own, each healthy until it stops', async () => {
  const ports = await Promise.all([findFreePort(), findFreePort(), findFreePort()]);
  const parts = ['workflows', 'model', 'tools'] as const;
  const workers = await Promise.all(
    parts.map((only, at) =>
      system.startWorker({
        ...WITHOUT[only],
        TEST_ONLY: only,
        AGENT_ONCE_SPLIT_TASK_QUEUES: 'on',
        AGENT_ONCE_HEALTH_PORT: String(ports[at]),
      }),
    ),
  );
  const health = await Promise.all(
    ports.map(async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/healthz`);
      return [response.status, await response.json()];
    }),
  );
  expect(health).toEqual([
    [200, { healthy: true, workers: { 'agent-once': 'RUNNING' } }],
    [200, { healthy: true, workers: { 'agent-once-model': 'RUNNING' } }],
    [200, { healthy: true, workers: { 'agent-once-tools': 'RUNNING' } }],
  ]);

  const client = new AgentOnceClient({ temporal: system.temporal, splitTaskQueues: true });
  const input = script(calls(['charge', { label: 'split' }]), { say: 'together' });
  const { key } = await client.start({ agent: 'tester', input });
  const view = await untilEnd(client, { agent: 'tester', key });
  expect(view).toMatchObject({ status: 'completed', result: 'together' });

  await Promise.all(workers.map((worker) => worker.stop()));
  expect(await Promise.all(workers.map((worker) => worker.untilEnded()))).toEqual([0, 0, 0]);
  await expect(fetch(`http://127.0.0.1:${ports[0]}/healthz`)).rejects.toThrow();
});

test('a part of its own needs split queues', async () => {
  await expect(system.startWorker({ TEST_ONLY: 'model' })).rejects.toThrow(
    /AGENT_ONCE_SPLIT_TASK_QUEUES=on/,
  );
});

test('a port in use ends the worker at once, and says which', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const { port } = taken.address() as AddressInfo;
    await expect(system.startWorker({ AGENT_ONCE_HEALTH_PORT: String(port) })).rejects.toThrow(
      new RegExp(`Port ${port}.*--health-port`),
    );
  } finally {
    taken.close();
  }
});
