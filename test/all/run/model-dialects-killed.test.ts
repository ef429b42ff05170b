import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STRICT_ENDPOINTS, workerEnv } from '../../support/dialects.ts';
import { startGateway } from '../../support/model/gateway.ts';
import { calls, script, startTestSystem, type TestSystem } from '../../support/system.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

/** Those whose second turn is refused without what came with the first. */
const WANT_BACK = ['OpenAI, Responses', 'Gemini 3', 'DeepSeek', 'Kimi'];

describe('an effect in turn 1, and the worker killed between the turns: turn 2 has what came with turn 1', () => {
  const endpoints = STRICT_ENDPOINTS.filter(({ name }) => WANT_BACK.includes(name));
  test.each(endpoints)('$name', async (endpoint) => {
    const env = workerEnv(endpoint, system.model);
    const label = `killed-${endpoint.dialect}`;
    const victim = await system.startWorker({ ...env, AGENT_ONCE_FAULT: 'after-record:charge' });
    const { key, workflowId } = await system.client.start({
      agent: 'tester',
      input: script(calls(['charge', { label }], ['look', { label }]), { say: 'ok' }),
      options: { model: endpoint.model },
    });
    expect(await victim.ended).toBe('SIGKILL');
    const worker = await system.startWorker(env);
    try {
      const view = await system.client.result({ agent: 'tester', key });
      expect(view).toMatchObject({ status: 'completed', result: 'ok' });
      expect(system.counter.requests(`charge:${label}`)).toBe(1);
      const scope = await system.scopeOf(workflowId);
      const { byToken } = await system.modelRequests();
      expect(byToken[`${scope}:t1.model`]).toBe(1);
      expect(byToken[`${scope}:t2.model`]).toBe(1);
      const [second] = await system.receivedBy(`${scope}:t2.model`);
      expect(JSON.stringify(second?.body)).toMatch(endpoint.comesBack ?? /./);
    } finally {
      await worker.stop();
    }
  });
});

test('a request whose answer a worker took to its grave is repeated under its own key, and not paid again', async () => {
  const gateway = await startGateway(system.model.url);
  const before = await system.modelRequests();
  const victim = await system.startWorker({
    OPENAI_BASE_URL: gateway.url,
    AGENT_ONCE_FAULT: 'after-effect:model',
  });
  const { key, workflowId } = await system.client.start({
    agent: 'tester',
    input: script({ say: 'ok' }),
  });
  expect(await victim.ended).toBe('SIGKILL');
  const worker = await system.startWorker({ OPENAI_BASE_URL: gateway.url });
  try {
    const view = await system.client.result({ agent: 'tester', key });
    expect(view).toMatchObject({ status: 'completed', result: 'ok' });
    const { requests, byKey } = await system.modelRequests();
    expect(requests - before.requests).toBe(1);
    expect(gateway.replayed()).toBe(1);
    const scope = await system.scopeOf(workflowId);
    expect(Object.keys(byKey).filter((each) => each.startsWith(`${scope}:`))).toHaveLength(1);
  } finally {
    await worker.stop();
    await gateway.stop();
  }
});
