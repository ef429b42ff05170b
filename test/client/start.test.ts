import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRegistry } from '../../src/define/registry.ts';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import type { JsonValue } from '../../src/contract/json-value.ts';
import { NO_USAGE } from '../../src/contract/run.ts';
import { codeOf, startClientSuite, type ClientSuite } from '../support/client-suite.ts';
import { temporalAddress } from '../support/servers.ts';

let suite: ClientSuite;

beforeAll(async () => {
  suite = await startClientSuite();
});
afterAll(() => suite.close());

const newKey = () => `k-${randomUUID()}`;

describe('a new key', () => {
  test('starts a run that carries everything the server should know', async () => {
    const key = newKey();
    const started = await suite.client.start({ agent: 'support', key, input: { order: 1042 } });

    expect(started).toMatchObject({
      workflowId: `agent-support-${key}`,
      agent: 'support',
      tenant: 'default',
      key,
      status: 'running',
      result: null,
      error: null,
      usage: NO_USAGE,
      closedAt: null,
      replayed: false,
      keyGenerated: false,
    });
    const handle = suite.temporal.workflow.getHandle(started.workflowId);
    const found = await handle.describe();
    expect(found).toMatchObject({
      runId: started.runId,
      type: 'agentRun',
      taskQueue: 'agent-once',
      memo: {
        intent: 'new',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        nonce: expect.any(String),
      },
      searchAttributes: {
        AgentName: ['support'],
        AgentTenant: ['default'],
        AgentStatus: ['running'],
      },
    });
    expect(await found.staticSummary()).toBe(`support ${key}`);
    expect(await found.staticDetails()).toContain('support');
  });

  test('costs one request to Temporal, and so does a duplicate of a key that the client knows', async () => {
    const paths: string[] = [];
    const connection = await Connection.connect({
      address: temporalAddress(),
      interceptors: [
        (options, next) => {
          paths.push(options.method_definition.path.split('/').at(-1) ?? '');
          return next(options) as never;
        },
      ],
    });
    try {
      const temporal = new Client({ connection, namespace: suite.namespace });
      const client = new AgentOnceClient({ temporal });
      const key = newKey();
      paths.length = 0;
      await client.start({ agent: 'support', key, input: 'x' });
      expect(paths).toEqual(['StartWorkflowExecution']);

      paths.length = 0;
      await client.start({ agent: 'support', key, input: 'x' });
      expect(paths).toEqual(['DescribeWorkflowExecution']);

      paths.length = 0;
      await new AgentOnceClient({ temporal }).start({ agent: 'support', key, input: 'x' });
      expect(paths).toEqual(['StartWorkflowExecution', 'DescribeWorkflowExecution']);
    } finally {
      await connection.close();
    }
  });

  test('that was not given is made, and told', async () => {
    const started = await suite.client.start({ agent: 'support', input: 'x' });
    expect(started.keyGenerated).toBe(true);
    expect(started.key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    const again = await suite.client.start({ agent: 'support', input: 'x', key: started.key });
    expect(again).toMatchObject({ runId: started.runId, replayed: true, keyGenerated: false });
  });
});

describe('a known key', () => {
  test('attaches to the running run, whatever the order of the input’s members', async () => {
    const key = newKey();
    const first = await suite.client.start({ agent: 'support', key, input: { a: 1, b: 2 } });
    const second = await suite.client.start({ agent: 'support', key, input: { b: 2, a: 1 } });
    expect(second).toMatchObject({ runId: first.runId, status: 'running', replayed: true });
  });

  test.each<[string, object]>([
    ['another input', { input: 'other' }],
    ['no input', {}],
    ['another option', { input: 'secret input', options: { model: 'm' } }],
  ])('is refused with %s, and nothing of the first request is told', async (_, change) => {
    const key = newKey();
    await suite.client.start({ agent: 'support', key, input: 'secret input' });
    const error = await suite.client.start({ agent: 'support', key, ...change }).catch((e) => e);
    expect(error).toMatchObject({ code: 'key.conflict', exitCode: 3 });
    expect(error.message).not.toMatch(/secret/);
    expect(error.message).not.toContain(key);
  });

  test('that somebody else’s workflow has is refused', async () => {
    const key = newKey();
    await suite.temporal.workflow.start('other', {
      workflowId: `agent-support-${key}`,
      taskQueue: 'nobody',
    });
    const start = suite.client.start({ agent: 'support', key, input: 'x' });
    expect(await codeOf(start)).toBe('key.conflict');
    expect(await codeOf(suite.client.describe({ agent: 'support', key }))).toBe('run.not_found');
  });
});

describe('names that never meet', () => {
  test('tenant, agent and key make one run each', async () => {
    const key = newKey();
    const requests = [
      { agent: 'a', key: `b-${key}` },
      { agent: 'a', tenant: 'b', key },
      { agent: 'b', tenant: 'a', key },
      { agent: 'a', key },
      { agent: 'b', key },
      { agent: 'b', key: `a.b-${key}` },
      { agent: 'a', tenant: 'a', key: `b-${key}` },
      { agent: 'a', key: key.toUpperCase() },
    ];
    const started = await Promise.all(
      requests.map((request) => suite.client.start({ ...request, input: 'x' })),
    );
    expect(started.map(({ replayed }) => replayed)).toEqual(requests.map(() => false));
    expect(new Set(started.map(({ runId }) => runId)).size).toBe(requests.length);
  });

  test('a key that cannot stand in the ID does as its hash', async () => {
    const key = `a/b c ${randomUUID()}`;
    const started = await suite.client.start({ agent: 'support', key, input: 'x' });
    expect(started.workflowId).toMatch(/^agent-support-~[A-Za-z0-9_-]{43}$/);
    expect(started.key).toBe(key);
    const described = await suite.client.describe({ agent: 'support', key });
    expect(described.runId).toBe(started.runId);
  });

  test('hashed keys are nowhere in Temporal', async () => {
    const key = `secret-${randomUUID()}`;
    const client = suite.clientWith({ hashKeys: true });
    const { workflowId } = await client.start({ agent: 'support', key, input: 'x' });
    const handle = suite.temporal.workflow.getHandle(workflowId);
    const found = await handle.describe();
    const { events } = await handle.fetchHistory();
    const shown = [
      workflowId,
      JSON.stringify(found.memo),
      await found.staticSummary(),
      await found.staticDetails(),
      Buffer.from(
        events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? [],
      ).toString(),
    ].join('\n');
    expect(shown).toContain('"agent":"support"');
    expect(shown).not.toContain(key);
  });
});

describe('before anything is sent', () => {
  // No server is there: a check that came too late would be an unreachable server.
  const client = new AgentOnceClient({
    temporal: new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) }),
    registry: createRegistry(
      [{ name: 'support', description: 'd', instructions: 'i', tools: [] }],
      { defaultModel: 'm' },
    ),
    requestTimeoutMs: 200,
  });
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);

  test.each<[string, object]>([
    ['name.invalid', { agent: 'Support' }],
    ['name.invalid', { agent: 'a-b' }],
    ['name.invalid', { tenant: 'a.b' }],
    ['key.invalid', { key: '' }],
    ['key.invalid', { key: 'x'.repeat(256) }],
    ['key.invalid', { key: 'schlüssel' }],
    ['key.invalid', { key: 'a\nb' }],
    ['agent.unknown', { agent: 'supprot' }],
    ['options.invalid', { options: { modle: 'x' } }],
    ['options.invalid', { options: { model: '' } }],
    ['input.invalid', { input: Number.NaN }],
    ['input.invalid', { input: 2 ** 53 }],
    ['input.invalid', { input: '\ud800' }],
    ['input.invalid', { input: cyclic }],
    ['input.too_large', { input: 'x'.repeat(1024 * 1024) }],
    // The same request with nothing wrong does reach for the server.
    ['temporal.unreachable', {}],
    ['temporal.unreachable', { input: 'x'.repeat(1024 * 1024 - 2) }],
  ])('%s: %#', async (code, change) => {
    const request = { agent: 'support', key: 'k', input: 'x' as JsonValue, ...change };
    expect(await codeOf(client.start(request))).toBe(code);
  });

  test('an unknown agent is told the known ones', async () => {
    await expect(client.start({ agent: 'nobody', key: 'k' })).rejects.toThrow(/known: support/);
  });
});

test('the run takes the settings of its agent along', async () => {
  const registry = createRegistry(
    [{ name: 'support', description: 'd', instructions: 'i', tools: [], maxTurns: 3 }],
    { defaultModel: 'model-a' },
  );
  const client = suite.clientWith({ registry });
  const options = { model: 'model-b' };
  const { workflowId } = await client.start({ agent: 'support', input: 'x', options });
  const { events } = await suite.temporal.workflow.getHandle(workflowId).fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  expect(JSON.parse(Buffer.from(payload?.data ?? []).toString())).toMatchObject({
    v: 1,
    input: 'x',
    options,
    settings: { model: 'model-b', maxTurns: 3 },
    queues: { workflows: 'agent-once' },
    searchAttributes: true,
  });
});

describe('the priority of a run', () => {
  const priorityOf = async (workflowId: string): Promise<number | null | undefined> => {
    const { raw } = await suite.temporal.workflow.getHandle(workflowId).describe();
    return raw.workflowExecutionInfo?.priority?.priorityKey;
  };
  const support = { name: 'support', description: 'd', instructions: 'i', tools: [] };

  test("is its own, or its agent's, or none", async () => {
    const registry = createRegistry([{ ...support, priority: 4 }], { defaultModel: 'm' });
    const client = suite.clientWith({ registry });
    const limits = { priority: 1 };
    const urgent = await client.start({ agent: 'support', tenant: 'acme', input: 'x', limits });
    expect(await priorityOf(urgent.workflowId)).toBe(1);
    const usual = await client.start({ agent: 'support', input: 'x' });
    expect(await priorityOf(usual.workflowId)).toBe(4);
    // Who does not know the agents cannot know theirs.
    const none = await suite.client.start({ agent: 'support', input: 'x' });
    expect(await priorityOf(none.workflowId)).toBeFalsy();
  });

  test('is no part of the request: another start of it attaches and changes nothing', async () => {
    const request = { agent: 'support', key: newKey(), input: 'x' };
    const first = await suite.client.start({ ...request, limits: { priority: 2 } });
    const again = await suite.client.start({ ...request, limits: { priority: 1 } });
    expect(again).toMatchObject({ runId: first.runId, replayed: true });
    expect(await priorityOf(first.workflowId)).toBe(2);
  });

  test.each([0, 6, 1.5, '1'])('is not %j', async (priority) => {
    const limits = { priority: priority as number };
    await expect(suite.client.start({ agent: 'support', limits })).rejects.toMatchObject({
      code: 'options.invalid',
      message: 'The priority must be a whole number from 1 to 5.',
    });
  });
});
