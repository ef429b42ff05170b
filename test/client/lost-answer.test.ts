import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { eventually } from '../support/eventually.ts';
import { temporalAddress } from '../support/servers.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let suite: ClientSuite;
let proxy: TcpProxy;
let connection: Connection;
let client: AgentOnceClient;

beforeEach(async () => {
  suite = await startClientSuite();
  proxy = await startTcpProxy(temporalAddress());
  connection = await Connection.connect({ address: proxy.address });
  const temporal = new Client({ connection, namespace: suite.namespace });
  client = new AgentOnceClient({ temporal, requestTimeoutMs: 3_000 });
});
afterEach(async () => {
  await connection.close();
  await proxy.stop();
  await suite.close();
});

/** The run ID, once the server has the run: asked past the proxy. */
function arrived(workflowId: string): Promise<string> {
  return eventually(
    async () => (await suite.temporal.workflow.getHandle(workflowId).describe()).runId,
  );
}

async function runsOf(workflowId: string): Promise<number> {
  const { count } = await suite.temporal.workflow.count(`WorkflowId = '${workflowId}'`);
  return count;
}

test('a start whose answer was lost with its connection is one run, and this caller’s', async () => {
  const key = `k-${randomUUID()}`;
  proxy.holdAnswers();
  const start = client.start({ agent: 'support', key, input: 'x' });
  const runId = await arrived(`agent-support-${key}`);
  proxy.cut();
  expect(await start).toMatchObject({ runId, replayed: false });
  expect(proxy.connections()).toBeGreaterThan(1);
  expect(await runsOf(`agent-support-${key}`)).toBe(1);
});

test('a start that was never answered looks what became of it', async () => {
  const key = `k-${randomUUID()}`;
  proxy.holdAnswers();
  const start = client.start({ agent: 'support', key, input: 'x' });
  const runId = await arrived(`agent-support-${key}`);
  // The deadline of the start passes; then only the look at the run is under way.
  setTimeout(() => proxy.cut(), 3_500);
  expect(await start).toMatchObject({ runId, replayed: false });
  expect(await runsOf(`agent-support-${key}`)).toBe(1);
});

test('where nobody answers at all, the error has the key that finds the run', async () => {
  proxy.holdAnswers();
  const error = await client.start({ agent: 'support', input: 'x' }).catch((e) => e);
  expect(error).toMatchObject({ code: 'temporal.unreachable' });
  const [key = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(error.message) ?? [];
  const runId = await arrived(`agent-support-${key}`);
  proxy.cut();
  const again = await client.start({ agent: 'support', key, input: 'x' });
  expect(again).toMatchObject({ runId, replayed: true });
});

test('callers who meet at a start whose answer is lost each get a true answer: one made the run', async () => {
  const request = { agent: 'support', key: `k-${randomUUID()}`, input: 'x' };
  proxy.holdAnswers();
  const starts = Array.from({ length: 5 }, () => client.start(request));
  const runId = await arrived(`agent-support-${request.key}`);
  proxy.cut();
  const told = await Promise.all(starts);
  expect(new Set(told.map((each) => each.runId))).toEqual(new Set([runId]));
  expect(told.filter(({ replayed }) => !replayed)).toHaveLength(1);
  expect(await runsOf(`agent-support-${request.key}`)).toBe(1);
});

test('a caller who gives its start up does not fail those who wait for it', async () => {
  const request = { agent: 'support', key: `k-${randomUUID()}`, input: 'x' };
  const { temporal } = client.context;
  proxy.holdAnswers();
  const stop = new AbortController();
  const givenUp = temporal.withAbortSignal(stop.signal, () => client.start(request));
  const others = [client.start(request), client.start(request)];
  const runId = await arrived(`agent-support-${request.key}`);
  stop.abort();
  proxy.cut();
  await givenUp.catch(() => undefined);
  for (const other of others) expect(await other).toMatchObject({ runId, replayed: true });
});
