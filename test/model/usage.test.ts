import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, modelError } from './ask.ts';
import { completion, response, said } from './bodies.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());

async function usageOfChat(usage: object) {
  endpoint.reply(200, completion({ content: 'hi' }, 'stop', { usage }));
  return (await ask(endpoint.url)).usage;
}

async function usageOfResponse(usage: object) {
  endpoint.reply(200, response([said('hi')], { usage }));
  return (await ask(endpoint.url, {}, {}, { api: 'responses' })).usage;
}

const chat = { prompt_tokens: 10_000, completion_tokens: 500 };
const whole = { inputTokens: 10_000, outputTokens: 500 };

describe('cached input, cache writes and thinking are read from a chat completion', () => {
  test.each<[string, object, object]>([
    [
      'OpenAI',
      {
        total_tokens: 10_500,
        prompt_tokens_details: { cached_tokens: 9_000, cache_write_tokens: 900, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 300 },
      },
      { ...whole, cachedInputTokens: 9_000, cacheWriteTokens: 900, reasoningTokens: 300 },
    ],
    [
      'DeepSeek',
      {
        total_tokens: 10_500,
        prompt_cache_hit_tokens: 9_000,
        prompt_cache_miss_tokens: 1_000,
        completion_tokens_details: { reasoning_tokens: 300 },
      },
      { ...whole, cachedInputTokens: 9_000, reasoningTokens: 300 },
    ],
    ['Kimi', { cached_tokens: 9_000 }, { ...whole, cachedInputTokens: 9_000 }],
    [
      'xAI, whose thinking is not in the output',
      {
        total_tokens: 10_800,
        prompt_tokens_details: { cached_tokens: 9_000 },
        completion_tokens_details: { reasoning_tokens: 300 },
      },
      {
        inputTokens: 10_000,
        outputTokens: 800,
        cachedInputTokens: 9_000,
        reasoningTokens: 300,
      },
    ],
    [
      'Gemini, whose thinking is in the total alone',
      { total_tokens: 10_800 },
      { inputTokens: 10_000, outputTokens: 800, reasoningTokens: 300 },
    ],
    [
      'LiteLLM, which counts the cache of Anthropic in the input',
      {
        total_tokens: 10_500,
        prompt_tokens_details: { cached_tokens: 9_000, cache_creation_tokens: 900 },
        cache_read_input_tokens: 9_000,
        cache_creation_input_tokens: 900,
      },
      { ...whole, cachedInputTokens: 9_000, cacheWriteTokens: 900 },
    ],
    [
      'a gateway that says the same with the names of Anthropic alone',
      { cache_read_input_tokens: 9_000, cache_creation_input_tokens: 900 },
      { ...whole, cachedInputTokens: 9_000, cacheWriteTokens: 900 },
    ],
    [
      'a gateway that leaves what was cached out of the input: more than all of it',
      { cache_read_input_tokens: 20_000, cache_creation_input_tokens: 0 },
      {
        inputTokens: 30_000,
        outputTokens: 500,
        cachedInputTokens: 20_000,
        cacheWriteTokens: 0,
      },
    ],
    [
      'a gateway that leaves it out of the input and not of the total',
      { total_tokens: 11_500, cache_read_input_tokens: 1_000 },
      { inputTokens: 11_000, outputTokens: 500, cachedInputTokens: 1_000 },
    ],
  ])('of %s', async (_who, details, expected) => {
    expect(await usageOfChat({ ...chat, ...details })).toEqual(expected);
  });
});

test('cached input, cache writes and thinking are read from a response', async () => {
  const usage = {
    input_tokens: 10_000,
    input_tokens_details: { cached_tokens: 9_000, cache_write_tokens: 900 },
    output_tokens: 500,
    output_tokens_details: { reasoning_tokens: 300 },
    total_tokens: 10_500,
  };
  const expected = { cachedInputTokens: 9_000, cacheWriteTokens: 900, reasoningTokens: 300 };
  expect(await usageOfResponse(usage)).toEqual({ ...whole, ...expected });
});

test("Anthropic's own counts are added up: what was cached is not in its input", async () => {
  const usage = {
    input_tokens: 100,
    cache_read_input_tokens: 9_000,
    cache_creation_input_tokens: 900,
    output_tokens: 500,
  };
  const expected = { cachedInputTokens: 9_000, cacheWriteTokens: 900 };
  expect(await usageOfResponse(usage)).toEqual({ ...whole, ...expected });
});

describe('a detail that cannot be read leaves the usage readable', () => {
  test.each<[string, object]>([
    ['of no kind', { prompt_tokens_details: 'none', completion_tokens_details: [] }],
    [
      'null',
      { prompt_tokens_details: null, completion_tokens_details: { reasoning_tokens: null } },
    ],
    ['negative', { prompt_tokens_details: { cached_tokens: -1 } }],
    ['a text', { prompt_tokens_details: { cached_tokens: '9000' }, cached_tokens: '9000' }],
    ['a fraction', { completion_tokens_details: { reasoning_tokens: 0.5 } }],
    ['more than the whole', { prompt_tokens_details: { cached_tokens: 10_001 } }],
    ['more thinking than output', { completion_tokens_details: { reasoning_tokens: 501 } }],
    ['a total that says less', { total_tokens: 3 }],
    ['the names of the other API, without numbers', { input_tokens: null, output_tokens: null }],
  ])('%s', async (_what, details) => {
    expect(await usageOfChat({ ...chat, ...details })).toEqual(whole);
  });
});

test('what an answer that is none used has its parts too, for its price', async () => {
  const usage = { ...chat, prompt_tokens_details: { cached_tokens: 9_000 } };
  endpoint.reply(200, completion({ content: 'ha' }, 'length', { usage }));
  const { answered } = await modelError(ask(endpoint.url));
  expect(answered?.usage).toEqual({ ...whole, cachedInputTokens: 9_000 });
});
