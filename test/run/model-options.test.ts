import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRegistry } from '../../src/define/registry.ts';
import { AGENT_RUN, TASK_QUEUE, taskQueues } from '../../src/contract/names.ts';
import type { AgentRunInput } from '../../src/contract/run.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { testAgents } from '../support/test-agents.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(async () => {
  await system.close();
});

async function completed(request: Parameters<TestSystem['client']['start']>[0]) {
  const run = await system.client.start(request);
  const view = await system.client.result(run);
  expect(view).toMatchObject({ status: 'completed', result: 'ok' });
  return { ...run, scope: await system.scopeOf(run.workflowId), usage: view.usage };
}

test('a tool that must be asked for at first need not be later, and all options are sent each time', async () => {
  const worker = await system.startWorker();
  try {
    const { scope } = await completed({
      agent: 'chooser',
      input: script(calls(['look', { label: 'chosen' }]), { say: 'ok' }),
    });
    const bodies = [
      ...(await system.receivedBy(`${scope}:t1.model`)),
      ...(await system.receivedBy(`${scope}:t2.model`)),
    ].map(({ body }) => body);
    expect(bodies.map((body) => body['tool_choice'])).toEqual(['required', undefined]);
    for (const body of bodies) {
      expect(body).toMatchObject({ reasoning_effort: 'low', service_tier: 'flex' });
    }
  } finally {
    await worker.stop();
  }
});

test('a run that was started before options were pinned has those of the definition', async () => {
  const worker = await system.startWorker();
  try {
    const settings = createRegistry(testAgents, { defaultModel: 'scripted' }).settingsOf('chooser');
    const { modelOptions: _none, ...earlier } = settings;
    const input = {
      v: 1,
      tenant: 'default',
      agent: 'chooser',
      key: 'earlier',
      input: script(calls(['look', { label: 'earlier' }]), { say: 'ok' }),
      settings: earlier,
      queues: taskQueues(false),
      searchAttributes: false,
    } satisfies AgentRunInput;
    const handle = await system.temporal.workflow.start(AGENT_RUN, {
      workflowId: 'agent-chooser-earlier',
      taskQueue: TASK_QUEUE,
      args: [input],
    });
    expect(await handle.result()).toMatchObject({ output: 'ok' });
    const [sent] = await system.receivedBy(`${handle.firstExecutionRunId}:t1.model`);
    expect(sent?.body).toMatchObject({ tool_choice: 'required', reasoning_effort: 'low' });
  } finally {
    await worker.stop();
  }
});

describe('runs that share the answers of a model that thinks', () => {
  test('share its thoughts too, and so the turns after', async () => {
    const env = { OPENAI_BASE_URL: system.model.dialectUrl('kimi'), OPENAI_DIALECT: 'kimi' };
    const worker = await system.startWorker(env);
    try {
      const request = {
        agent: 'thriftier',
        input: script(calls(['recall', { label: 'shared' }]), { say: 'ok' }),
        options: { model: 'kimi-k2.6' },
      };
      const before = (await system.modelRequests()).requests;
      const first = await completed(request);
      await completed(request);
      expect((await system.modelRequests()).requests - before).toBe(2);
      // The one that sent turn 2 sent the thoughts of turn 1.
      const [sent] = await system.receivedBy(`${first.scope}:t2.model`);
      expect(JSON.stringify(sent?.body)).toMatch(/"reasoning_content":"[^"]+"/);
    } finally {
      await worker.stop();
    }
  });

  test('ask for themselves from turn 2 on, where each had its own encrypted thoughts', async () => {
    const worker = await system.startWorker({
      OPENAI_BASE_URL: system.model.dialectUrl('openai'),
      OPENAI_API: 'responses',
      OPENAI_API_KEY: 'k-0123456789',
    });
    try {
      const request = {
        agent: 'thrifty',
        input: script(calls(['recall', { label: 'apart' }]), { say: 'ok' }),
        options: { model: 'gpt-6-luna' },
      };
      // One after the other: nothing of the first is under way any more.
      const before = (await system.modelRequests()).requests;
      await completed(request);
      await completed(request);
      expect((await system.modelRequests()).requests - before).toBe(4);
    } finally {
      await worker.stop();
    }
  });
});

test('parts that are too large fail the step with what to do, and are not asked for again', async () => {
  const worker = await system.startWorker({
    OPENAI_BASE_URL: system.model.dialectUrl('kimi'),
    OPENAI_DIALECT: 'kimi',
  });
  try {
    const body = {
      choices: [
        {
          message: { role: 'assistant', content: 'ok', reasoning_content: 'x'.repeat(5_000_000) },
          finish_reason: 'stop',
        },
      ],
    };
    await fetch(new URL('/faults', system.model.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        faults: [{ kind: 'status', status: 200, body }],
        match: 'endless thoughts',
      }),
    });
    const run = await system.client.start({ agent: 'tester', input: 'endless thoughts' });
    const view = await system.client.result(run);
    expect(view).toMatchObject({ status: 'failed', error: { code: 'model.answer_too_large' } });
    const { byToken } = await system.modelRequests();
    expect(byToken[`${await system.scopeOf(run.workflowId)}:t1.model`]).toBe(1);
  } finally {
    await worker.stop();
  }
});
