import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { defineAgent } from '../../src/define/define-agent.ts';
import { createClient, type AgentOnceClient } from '../../src/index.ts';
import { runCommand } from '../support/cli.ts';
import { codeOf } from '../support/client-suite.ts';
import { createTestNamespace } from '../support/namespace.ts';
import { temporalAddress } from '../support/servers.ts';

const environment = { ...process.env };
let shared: Record<string, string>;
let client: AgentOnceClient | undefined;

beforeAll(async () => {
  shared = {
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
});
afterEach(async () => {
  process.env = { ...environment };
  await client?.close();
});

test.each(['on', 'off'])(
  'with hashed keys %s, one key is one run, whether the command or a backend starts it',
  async (hashKeys) => {
    const env = { ...shared, AGENT_ONCE_HASH_KEYS: hashKeys };
    Object.assign(process.env, env);
    const key = randomUUID();
    const command = ['start', 'assistant', '--key', key, '--input', 'hello', '--json'];
    const { stdout } = await runCommand(command, env);
    const { runId, workflowId } = JSON.parse(stdout) as { runId: string; workflowId: string };
    client = await createClient();
    const again = await client.start({ agent: 'assistant', key, input: 'hello' });
    expect(again).toMatchObject({ runId, workflowId, replayed: true });
    expect(workflowId.includes(key)).toBe(hashKeys === 'off');
  },
);

test('it knows the agents that it is given, and any agent without', async () => {
  Object.assign(process.env, shared);
  const clerk = defineAgent({ name: 'clerk', description: 'd', instructions: 'i', tools: [] });
  const request = { agent: 'assistant', key: randomUUID(), input: 'hello' };
  client = await createClient({ agents: [clerk] });
  expect(await codeOf(client.start(request))).toBe('agent.unknown');
  await client.close();
  client = await createClient();
  expect(await codeOf(client.start(request))).toBeUndefined();
});

/** An extra that is seen in each start of a client which has it. */
function signing(name: string) {
  const plugin = {
    name,
    configureClient: (options: object) => ({ ...options, identity: name }),
  };
  return { plugins: () => Promise.resolve([plugin as never]) };
}

test('each client of a process has the plugins of its own extras, and of no others', async () => {
  Object.assign(process.env, shared);
  const clients = [
    await createClient({ extras: [signing('one')] }),
    await createClient({ extras: [signing('two')] }),
    // This process runs no command: it has no extras of its own.
    await createClient(),
    await createClient({ extras: [] }),
  ];
  try {
    const identities = clients.map(async (each) => {
      const run = { agent: 'assistant', key: randomUUID(), input: 'hello' };
      const { workflowId } = await each.start(run);
      const { temporal } = each.context;
      const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
      return events?.[0]?.workflowExecutionStartedEventAttributes?.identity;
    });
    const own = expect.not.stringMatching(/^(one|two)$/);
    expect(await Promise.all(identities)).toEqual(['one', 'two', own, own]);
  } finally {
    await Promise.all(clients.map((each) => each.close()));
  }
});

test('a closed client has ended its connection', async () => {
  Object.assign(process.env, shared);
  client = await createClient();
  expect(await client.hasWorker()).toBe(false);
  expect(await client.page({}, { limit: 1 })).toMatchObject({ runs: expect.any(Array) });
  await client.close();
  expect(await codeOf(client.page({}, { limit: 1 }))).toMatch(/^temporal\./);
});

test('settings that cannot be are told before anything is connected', async () => {
  Object.assign(process.env, { TEMPORAL_ADDRESS: '127.0.0.1:1', AGENT_ONCE_HASH_KEYS: 'maybe' });
  expect(await codeOf(createClient())).toBe('config.invalid');
});
