import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findFreePort } from '../../ports.ts';
import { startTemporalServer, type TemporalServer } from '../../temporal-server.ts';
import { temporalAddress } from '../../../../../test/support/servers.ts';
import { holdServer, makeFolder, waitUntilGone } from '../processes.ts';

describe("Temporal's development server", () => {
  let folder: string;
  let remove: () => Promise<void>;
  beforeAll(async () => {
    ({ folder, remove } = await makeFolder());
  });
  afterAll(() => remove());

  test('a port in use is an error that names the flag', async () => {
    const port = Number(temporalAddress().split(':')[1]);
    await expect(startTemporalServer({ port })).rejects.toMatchObject({
      code: 'port.in_use',
      message: expect.stringContaining('--temporal-port'),
    });
    await expect(startTemporalServer({ uiPort: port })).rejects.toMatchObject({
      code: 'port.in_use',
      message: expect.stringContaining('--ui-port'),
    });
  });

  test('has a UI and the namespace that was asked for, with our search attributes', async () => {
    const server = await startTemporalServer({ uiPort: 0, namespace: 'orders' });
    try {
      expect((await fetch(server.uiUrl ?? '')).status).toBe(200);
      await withClient(server, 'orders', async (client) => {
        await client.workflow.start('nobody', {
          workflowId: 'w1',
          taskQueue: 'nobody',
          searchAttributes: { AgentName: ['support'], AgentCostUsd: [0.5] },
        });
      });
    } finally {
      await server.stop();
    }
    await waitUntilGone(server.pid);
  });

  test('killed with its parent, it is gone, and the next one finds the kept runs', async () => {
    const options = {
      port: await findFreePort(),
      dbFile: path.join(folder, 'kept', 'temporal.db'),
    };
    const { parent, server } = await holdServer<TemporalServer>('temporal', options);
    await withClient(server, 'default', async (client) => {
      await client.workflow.start('nobody', { workflowId: 'kept', taskQueue: 'nobody' });
    });
    parent.process.kill('SIGKILL');
    // At once and on the same port: whatever is left must not be in its way.
    const next = await startTemporalServer(options);
    try {
      await waitUntilGone(server.pid);
      await withClient(next, 'default', async (client) => {
        const { status } = await client.workflow.getHandle('kept').describe();
        expect(status.name).toBe('RUNNING');
      });
    } finally {
      await next.stop();
    }
  });
});

async function withClient(
  { address }: { address: string },
  namespace: string,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
