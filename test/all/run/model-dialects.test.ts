import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../../src/client/agent-once-client.ts';
import { createRegistry } from '../../../src/define/registry.ts';
import { STRICT_ENDPOINTS, workerEnv, type StrictEndpoint } from '../../support/dialects.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';
import { testAgents } from '../../support/test-agents.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

/** A client whose agents think as the worker's do: the effort is pinned by whoever starts. */
function clientFor({ effort }: StrictEndpoint): AgentOnceClient {
  const registry = createRegistry(testAgents, {
    defaultModel: 'scripted',
    reasoningEffort: effort,
  });
  return new AgentOnceClient({ temporal: system.temporal, registry });
}

/** Effects in two turns, one of them with two calls at once: what turn 1 brought is sent twice. */
const twoTurns = (label: string) =>
  script(
    calls(['charge', { label: `${label}-1` }], ['look', { label }]),
    calls(['charge', { label: `${label}-2` }]),
    { say: 'ok' },
  );

describe('a run of several turns goes through at an endpoint that wants its own back:', () => {
  test.each(STRICT_ENDPOINTS)('$name', async (endpoint) => {
    const worker = await system.startWorker(workerEnv(endpoint, system.model));
    try {
      const label = endpoint.name.replaceAll(/\W+/g, '-');
      const request = {
        agent: 'tester',
        input: twoTurns(label),
        options: { model: endpoint.model },
      };
      const client = clientFor(endpoint);
      const { key } = await client.start(request);
      const view = await client.result({ agent: 'tester', key });
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
      expect(system.counter.effects(`charge:${label}-1`)).toBe(1);
      expect(system.counter.effects(`charge:${label}-2`)).toBe(1);
      expect(view.usage).toMatchObject({ turns: 3, modelCalls: 3, toolCalls: 3 });
      const [second] = await system.receivedBy(`${await system.scopeOf(view.workflowId)}:t2.model`);
      expect(JSON.stringify(second?.body)).toMatch(endpoint.comesBack ?? /./);
    } finally {
      await worker.stop();
    }
  });
});

describe('a run goes on at another endpoint, with what that one takes in the place of the parts:', () => {
  test.each([
    ['Gemini 3', 'OpenAI, Responses'],
    ['OpenAI, Responses', 'Kimi'],
    ['Kimi', 'Gemini 3'],
    ['DeepSeek', 'Mistral'],
    ['Mistral', 'DeepSeek'],
  ])('from %s to %s', async (from, to) => {
    const [first, second] = [from, to].map((name) =>
      STRICT_ENDPOINTS.find((endpoint) => endpoint.name === name),
    );
    if (!first || !second) throw new Error('There is no such endpoint.');
    const label = `${from}-${to}`.replaceAll(/\W+/g, '-');
    const input = script(calls(['charge', { label }]), { say: 'ok' });
    const { client } = system;
    // The first endpoint answers turn 1 alone; the resumed run has the other one.
    const request = { agent: 'tester', input, options: { model: first.model } };
    const before = await system.startWorker(workerEnv(first, system.model));
    const { key } = await client.start({ ...request, limits: { maxTurns: 1 } });
    try {
      expect(await client.result({ agent: 'tester', key })).toMatchObject({
        status: 'failed',
        error: { code: 'run.turn_limit' },
      });
    } finally {
      await before.stop();
    }

    const after = await system.startWorker(workerEnv(second, system.model));
    try {
      await client.start({ ...request, key, retryFailed: true });
      const view = await client.result({ agent: 'tester', key });
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
      expect(system.counter.effects(`charge:${label}`)).toBe(1);
    } finally {
      await after.stop();
    }
  });
});

test('thoughts that nobody can open any more are left out, and the same is asked once more', async () => {
  const endpoint = STRICT_ENDPOINTS[0];
  if (!endpoint) throw new Error('There is no endpoint.');
  const input = script(calls(['look', { label: 'foreign' }]), { say: 'ok' });
  let worker = await system.startWorker(workerEnv(endpoint, system.model));
  try {
    const request = { agent: 'tester', input, options: { model: endpoint.model } };
    const { key, workflowId } = await system.client.start({ ...request, limits: { maxTurns: 1 } });
    await system.client.result({ agent: 'tester', key });
    const scope = await system.scopeOf(workflowId);
    // As with the key of another organisation: what was sent cannot be opened there.
    await spoilThoughts(scope);
    // A process that has recorded a turn does not read it again.
    await worker.stop();
    worker = await system.startWorker(workerEnv(endpoint, system.model));
    await system.client.start({ ...request, key, retryFailed: true });
    const view = await system.client.result({ agent: 'tester', key });
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    const sent = await system.receivedBy(`${scope}:t2.model`);
    expect(sent.map(({ body }) => JSON.stringify(body).includes('spoilt'))).toEqual([true, false]);
    // Another body, another key.
    expect(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size).toBe(2);
  } finally {
    await worker.stop();
  }
});

/** Changes the encrypted thoughts of a run's first turn in the ledger. */
async function spoilThoughts(scope: string): Promise<void> {
  const { rows } = await system.sql.query<{ result: Buffer }>(
    "SELECT result FROM agent_once.steps WHERE scope = $1 AND step = 't1.model'",
    [scope],
  );
  const { decodePayload, encodePayload } = await import('../../../src/ledger/payload.ts');
  const record = await decodePayload(rows[0]?.result ?? Buffer.alloc(0));
  const text = JSON.stringify(record).replace(
    /"encrypted_content":"[^"]*"/,
    '"encrypted_content":"spoilt"',
  );
  const { data } = await encodePayload(JSON.parse(text) as never);
  await system.sql.query(
    "UPDATE agent_once.steps SET result = $2 WHERE scope = $1 AND step = 't1.model'",
    [scope, data],
  );
}

test('a model without thoughts is not asked for encrypted ones again', async () => {
  const endpoint = STRICT_ENDPOINTS[0];
  if (!endpoint) throw new Error('There is no endpoint.');
  const worker = await system.startWorker(workerEnv(endpoint, system.model));
  try {
    const input = script(calls(['look', { label: 'plain' }]), { say: 'ok' });
    const options = { model: 'gpt-4-no-reasoning' };
    const { key, workflowId } = await system.client.start({ agent: 'tester', input, options });
    const view = await system.client.result({ agent: 'tester', key });
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    const scope = await system.scopeOf(workflowId);
    const asked = async (step: string) =>
      (await system.receivedBy(`${scope}:${step}`)).map(({ body }) => 'include' in body);
    expect(await asked('t1.model')).toEqual([true, false]);
    expect(await asked('t2.model')).toEqual([false]);
  } finally {
    await worker.stop();
  }
});
