import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import type { ModelEndpoints } from '../../src/contract/model-endpoint.ts';
import type { JsonValue } from '../../src/contract/json-value.ts';
import { createRegistry } from '../../src/define/registry.ts';
import { runCommand } from '../support/cli.ts';
import { STRICT_ENDPOINTS } from '../support/dialects.ts';
import { testWith } from '../support/extras.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';
import { assessor, testAgents } from '../support/test-agents.ts';

let system: TestSystem;
let folder: string;
/** Knows the endpoints of the worker. */
let client: AgentOnceClient;

const NAMES = ['OpenAI, Responses', 'OpenAI, chat', 'Gemini 3', 'DeepSeek'];
const strict = STRICT_ENDPOINTS.filter(({ name }) => NAMES.includes(name)).map((each) => ({
  ...each,
  named: `${each.dialect}-${each.api}`,
}));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-once-prices-'));
  await writeFile(join(folder, 'prices.json'), '{"scripted-priced":{"input":1,"output":10}}');
  system = await startTestSystem();
  const models: ModelEndpoints = Object.fromEntries(
    strict.map(({ named, dialect, api, model, effort }) => [
      named,
      {
        baseUrl: system.model.dialectUrl(dialect),
        dialect: dialect === 'dashscope' ? 'other' : dialect,
        api,
        model,
        apiKey: 'test-key-0123456789',
        options: { reasoningEffort: effort },
      },
    ]),
  );
  await system.startWorker({
    MODEL_PRICES_FILE: join(folder, 'prices.json'),
    TEST_MODELS: JSON.stringify(models),
  });
  client = new AgentOnceClient({
    temporal: system.temporal,
    registry: createRegistry(testAgents, {
      defaultModel: 'scripted',
      endpoints: Object.keys(models),
    }),
  });
});
afterAll(async () => {
  await system.close();
  await rm(folder, { recursive: true });
});

const GOOD = { verdict: 'good', points: 7, note: ' fine ' };
const RESULT = { verdict: 'good', points: 7, note: 'fine' };
const say = (value: JsonValue) => ({
  say: JSON.stringify(value),
  usage: { inputTokens: 100, outputTokens: 10 },
});
const PROSE = { ...say(null), say: 'It is good, I would say.' };

describe('an output with tools goes through at a strict endpoint, with a repair:', () => {
  test.each(strict)('$name', async ({ named }) => {
    const { key, workflowId } = await client.start({
      agent: assessor,
      input: script(
        calls(['charge', { label: named }]),
        say({ ...GOOD, points: 'seven' }),
        say(GOOD),
      ),
      options: { model: named },
    });
    const view = await client.result({ agent: assessor, key });
    expect(view).toMatchObject({ status: 'completed', result: RESULT });
    expect(view.result?.verdict).toBe('good');
    expect(view.usage).toMatchObject({ turns: 3, modelCalls: 3, toolCalls: 1 });

    const scope = await system.scopeOf(workflowId);
    const repaired = await system.ledger.step(scope, 't2.model');
    const repair = (repaired?.result as { repair?: string } | undefined)?.repair;
    expect(repair).toMatch(/At points: Invalid input: expected number, received string/);
    // The model sees its answer, and as the user's next words what is wrong with it.
    const [third] = await system.receivedBy(`${scope}:t3.model`);
    const said = (third?.body['messages'] ?? third?.body['input']) as { role: string }[];
    expect(said.at(-1)).toMatchObject({ role: 'user', content: repair });
    expect(JSON.stringify(said.at(-2))).toContain('seven');
  });
});

test('DeepSeek is told that it is to be JSON, and in words what the JSON must be', async () => {
  const { key, workflowId } = await client.start({
    agent: 'assessor_alone',
    input: script(say(GOOD)),
    options: { model: 'deepseek-chat' },
  });
  expect((await client.result({ agent: 'assessor_alone', key })).result).toEqual(RESULT);
  const [sent] = await system.receivedBy(`${await system.scopeOf(workflowId)}:t1.model`);
  expect(sent?.body).toMatchObject({ response_format: { type: 'json_object' } });
  expect(JSON.stringify(sent?.body['messages'])).toContain('It must fit this JSON Schema');
});

describe('an agent with an output', () => {
  async function run(agent: string, answers: JsonValue[], more: object = {}) {
    const started = await client.start({ agent, input: script(...answers), ...more });
    const ref = { agent, key: started.key };
    return { ref, view: await client.result(ref), scope: await system.scopeOf(started.workflowId) };
  }

  test('whose second answer does not fit either fails with output.invalid, both answers paid', async () => {
    const { ref, view, scope } = await run('assessor', [PROSE, say({ ...GOOD, points: -1 })]);
    expect(view).toMatchObject({
      status: 'failed',
      error: {
        code: 'output.invalid',
        message: expect.stringMatching(/At points: Points are from 0\./),
      },
      usage: { modelCalls: 1, inputTokens: 200, outputTokens: 20, costUsd: 0.0004 },
    });
    const { byToken } = await system.modelRequests();
    expect([byToken[`${scope}:t1.model`], byToken[`${scope}:t2.model`]]).toEqual([1, 1]);
    expect(await system.ledger.step(scope, 't2.model')).toMatchObject({ unusableAnswers: 1 });

    // A resume asks that turn again: it is the same repair, and no further one.
    await client.resume(ref);
    const again = await client.result(ref);
    expect(again.error?.code).toBe('output.invalid');
    const counted = (await system.modelRequests()).byToken;
    expect([counted[`${scope}:t1.model`], counted[`${scope}:t2.model`]]).toEqual([1, 2]);
  });

  test('needs a turn for its repair', async () => {
    const more = { limits: { maxTurns: 1 } };
    const { ref, view, scope } = await run('assessor', [PROSE, say(GOOD)], more);
    expect(view.error?.code).toBe('run.turn_limit');
    await client.resume(ref, { limits: { maxTurns: 2 } });
    expect((await client.result(ref)).result).toEqual(RESULT);
    expect((await system.modelRequests()).byToken[`${scope}:t1.model`]).toBe(1);
  });

  test('may call tools before it answers again', async () => {
    const label = 'looked-up-again';
    const answers = [PROSE, calls(['look', { label }]), say(GOOD)];
    const { view } = await run('assessor', answers);
    expect(view.result).toEqual(RESULT);
    expect(system.counter.requests(`look:${label}`)).toBe(1);
  });

  test('that declines or is cut off is not repaired', async () => {
    const declined = await run('assessor', [{ refusal: 'I would rather not.' }]);
    expect(declined.view.error?.code).toBe('model.refused');
    const cut = await run('assessor', [{ say: '{"verdict":', finish: 'length' }]);
    expect(cut.view.error?.code).toBe('model.truncated');
  });

  test('repairs in a shadow run as well', async () => {
    const { view } = await run('assessor', [PROSE, say(GOOD)], { options: { shadow: true } });
    expect(view).toMatchObject({ status: 'completed', result: RESULT });
  });

  test('checks and repairs an answer that was taken from another run for itself', async () => {
    const answers = [{ ...PROSE, say: 'Shared words.' }, say(GOOD)];
    const first = await run('sharing_assessor', answers);
    const before = (await system.modelRequests()).requests;
    const { view, scope } = await run('sharing_assessor', answers);
    expect([first.view.result, view.result]).toEqual([RESULT, RESULT]);
    expect((await system.modelRequests()).requests).toBe(before);
    expect(await system.ledger.step(scope, 't1.model')).toMatchObject({
      sharedWith: `${first.scope}:t1.model`,
      result: { repair: expect.stringContaining('It is not one JSON object') },
    });
  });

  testWith('explain')('is explained with its repair', async () => {
    const { ref } = await run('assessor', [PROSE, say(GOOD)]);
    const { stdout } = await runCommand(['explain', ref.agent, ref.key], system.env);
    expect(stdout).toContain(
      "gave an answer that did not fit the output's schema; asked once more",
    );
    expect(stdout).toMatch(/t2\.model {2}gave the final answer/);
  });
});
