import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/server.ts';
import {
  NO_SCRIPTS,
  chat,
  choiceOf,
  messageOf,
  outputOf,
  respond,
  script,
} from '../../../../test/support/model/client.ts';

let model: ScriptedModel;

beforeAll(async () => {
  model = await startScriptedModel({ scriptsDir: NO_SCRIPTS });
});
afterAll(async () => {
  await model.stop();
});

const said = async (entry: object) => messageOf(await chat(model.url, [script(entry)]));

describe('an answer in chat completions', () => {
  test.each(['error', 'model_length', 'function_call_filter: MALFORMED_FUNCTION_CALL', null])(
    'finishes with %j',
    async (finish) => {
      const choice = choiceOf(await chat(model.url, [script({ say: 'x', finish })]));
      expect(choice.finish_reason).toBe(finish);
    },
  );

  test.each([
    [{}, null],
    [{ say: '' }, ''],
    [{ say: ' \n' }, ' \n'],
  ])('of %j has content %j', async (entry, content) => {
    expect((await said(entry)).content).toEqual(content);
  });

  test('refuses in given words, thinks given thoughts', async () => {
    expect(await said({ refusal: 'No.', reasoning: 'Hm.' })).toMatchObject({
      content: null,
      refusal: 'No.',
      reasoning_content: 'Hm.',
    });
  });

  test('reports cached and reasoning tokens', async () => {
    const usage = { inputTokens: 9, outputTokens: 5, cachedInputTokens: 4, reasoningTokens: 3 };
    const { body } = await chat(model.url, [script({ say: 'x', usage })]);
    expect(body).toMatchObject({
      usage: {
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    expect((await respond(model.url, [script({ say: 'x', usage })])).body).toMatchObject({
      usage: {
        input_tokens_details: { cached_tokens: 4 },
        output_tokens_details: { reasoning_tokens: 3 },
      },
    });
  });
});

test('an answer that says nothing has no message in Responses', async () => {
  expect(outputOf(await respond(model.url, [script({})], { include: [] }))).toEqual([]);
});

test('counters count by step and by key, in both APIs', async () => {
  await chat(model.url, [script({ say: 'x' })], {}, 'run:t1.model~aaaaaaaaaaaa');
  await chat(model.url, [script({ say: 'x' })], {}, 'run:t1.model~aaaaaaaaaaaa');
  await respond(model.url, [script({ say: 'x' })], {}, 'run:t1.model~bbbbbbbbbbbb');
  const counters = await (await fetch(new URL('/counters', model.url))).json();
  expect(counters).toMatchObject({
    byToken: { 'run:t1.model': 3 },
    byKey: { 'run:t1.model~aaaaaaaaaaaa': 2, 'run:t1.model~bbbbbbbbbbbb': 1 },
  });
});
