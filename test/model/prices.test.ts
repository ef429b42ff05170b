import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { calcPrice } from '@pydantic/genai-prices';
import { costUsd, loadPrices } from '../../src/model/prices.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prices-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function priceFile(text: string): Promise<string> {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  await writeFile(file, text);
  return file;
}

const million = { inputTokens: 1e6, outputTokens: 1e6 };

describe('the cost of a call', () => {
  test('is tokens times price', async () => {
    const prices = await loadPrices();
    expect(costUsd(prices, 'gpt-5-mini', million)).toBe(2.25);
    expect(costUsd(prices, 'gpt-5-mini', { inputTokens: 1000, outputTokens: 100 })).toBe(0.00045);
    expect(costUsd(prices, 'gpt-5-mini', { inputTokens: 0, outputTokens: 0 })).toBe(0);
    expect(costUsd(prices, 'scripted', million)).toBeGreaterThan(0);
  });

  test('has no noise of binary fractions', async () => {
    const prices = await loadPrices(await priceFile('{"m":{"input":0.1,"output":0.2}}'));
    // 0.1 + 0.2 is 0.30000000000000004.
    expect(costUsd(prices, 'm', million)).toBe(0.3);
    expect(costUsd(prices, 'm', { inputTokens: 1, outputTokens: 1 })).toBe(3e-7);
  });

  test('of a dated snapshot is that of its model, unless it has its own', async () => {
    const prices = await loadPrices();
    expect(costUsd(prices, 'gpt-5-mini-2025-08-07', million)).toBe(2.25);
    expect(costUsd(prices, 'gpt-4o-2024-08-06', million)).toBe(12.5);
    expect(costUsd(prices, 'gpt-4o-2024-05-13', million)).toBe(20);
  });

  test.each(['gpt-99', 'my-model', 'gpt-5-mini-2025', 'gpt-5-mini-audio', '', 'toString'])(
    'of the unknown model %j is null, not zero',
    async (model) => {
      expect(costUsd(await loadPrices(), model, million)).toBeNull();
    },
  );

  test('of an unknown usage is null, not zero', async () => {
    expect(costUsd(await loadPrices(), 'gpt-5-mini', null)).toBeNull();
  });

  test('of counts that contradict each other is null, and no error', async () => {
    const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 2 };
    expect(costUsd(await loadPrices(), 'gpt-5-mini', usage)).toBeNull();
  });
});

describe('the cost of input that was cached', () => {
  const turn = { inputTokens: 10_000, outputTokens: 100 };
  const cached = { ...turn, cachedInputTokens: 9_000 };

  test('is that of cached input: two such turns of gpt-5.2 are $0.0095 and not $0.0378', async () => {
    const prices = await loadPrices();
    expect(2 * (costUsd(prices, 'gpt-5.2', cached) ?? NaN)).toBe(0.00945);
    expect(2 * (costUsd(prices, 'gpt-5.2', turn) ?? NaN)).toBe(0.0378);
  });

  test.each([
    ['gpt-6-luna', 0.00024],
    ['gpt-6.1-terra', 0.00195],
    ['gpt-6.1-sol-2026-09-29', 0.0039],
    ['gpt-4.1', 0.0073],
    ['claude-sonnet-4-5', 0.0072],
  ])('of %s is %d for the same turn', async (model, usd) => {
    expect(costUsd(await loadPrices(), model, cached)).toBe(usd);
  });

  test('is counted with what writing to the cache costs', async () => {
    const prices = await loadPrices();
    const usage = { ...turn, cachedInputTokens: 1_000, cacheWriteTokens: 8_000 };
    // 1,000 of each at 1 and 0.05, 8,000 at 1.25, 100 at 5.
    expect(costUsd(prices, 'gpt-6.1-terra', usage)).toBe(0.01155);
    // Writes cost older models nothing besides: 9,000 at 1.75, 1,000 at 0.175, 100 at 14.
    expect(costUsd(prices, 'gpt-5.2', usage)).toBe(0.017325);
  });

  test.each([
    ['gpt-6-luna', 0.1],
    ['gpt-6.1-terra', 1],
    ['gpt-6.1-sol', 2],
  ])('and all else of %s costs more over 272,000 tokens of input', async (model, input) => {
    const prices = await loadPrices();
    const at = (inputTokens: number) =>
      costUsd(prices, model, { inputTokens, outputTokens: 1_000, cachedInputTokens: 0 });
    expect(at(272_000)).toBeCloseTo((272_000 * input + 1_000 * input * 5) / 1e6, 9);
    expect(at(272_001)).toBeCloseTo((272_001 * input * 2 + 1_000 * input * 7.5) / 1e6, 9);
  });

  test('thinking is a part of the output, and costs no more', async () => {
    const prices = await loadPrices();
    const plain = costUsd(prices, 'gpt-5.2', turn);
    expect(costUsd(prices, 'gpt-5.2', { ...turn, reasoningTokens: 100 })).toBe(plain);
  });
});

describe('the endpoint that answered', () => {
  const price = async (model: string, baseUrl?: string) =>
    costUsd(await loadPrices(), model, million, { baseUrl });

  test('says whose price it is, where it is a known one', async () => {
    expect(await price('llama-3.3-70b-versatile')).toBeNull();
    expect(await price('llama-3.3-70b-versatile', 'https://api.groq.com/openai/v1')).toBe(1.38);
    expect(await price('openai/gpt-5-mini', 'https://openrouter.ai/api/v1')).toBe(2.25);
    expect(await price('gpt-5-mini', 'https://x.openai.azure.com/openai/v1')).toBe(2.25);
    expect(await price('kimi-k2-thinking', 'https://api.moonshot.ai/v1')).toBe(3.1);
    const vertex = 'https://us-central1-aiplatform.googleapis.com/v1/endpoints/openapi';
    expect(await price('google/gemini-2.5-flash', vertex)).toBe(2.8);
  });

  test('that is a known one does not sell what it has no price for', async () => {
    expect(await price('gpt-5-mini', 'https://api.groq.com/openai/v1')).toBeNull();
  });

  test('that is an unknown one is a gateway to the only one who sells the model', async () => {
    const gateway = 'http://gateway.internal:4000/v1';
    expect(await price('gpt-5-mini', gateway)).toBe(2.25);
    expect(await price('azure/gpt-5-mini', gateway)).toBe(2.25);
  });

  test.each(['deepseek-r1:7b', 'mistral-nemo', 'gpt-oss-20b', 'openai/gpt-oss-120b', 'kimi-k2'])(
    'decides what the open model %s costs: at an unknown one, nobody knows',
    async (model) => {
      expect(await price(model, 'http://127.0.0.1:11434/v1')).toBeNull();
    },
  );
});

test('the own list has only what the library lacks', async () => {
  const known = [...(await loadPrices()).keys()].filter((model) =>
    calcPrice({ input_tokens: 1, output_tokens: 1 }, model),
  );
  expect(known).toEqual([]);
});

describe('a file of prices', () => {
  test('changes and extends the built-in ones', async () => {
    const file = await priceFile(
      '{"gpt-5-mini":{"input":1,"output":1},"local":{"input":0,"output":0}}',
    );
    const prices = await loadPrices(file);
    expect(costUsd(prices, 'gpt-5-mini', million)).toBe(2);
    expect(costUsd(prices, 'local', million)).toBe(0);
    expect(costUsd(prices, 'gpt-5', million)).toBe(11.25);
    expect(costUsd(await loadPrices(), 'gpt-5-mini', million)).toBe(2.25);
  });

  test('has a price of cached input, which is that of input where there is none', async () => {
    const file = await priceFile(
      '{"a":{"input":1,"output":5,"cachedInput":0.1},"b":{"input":1,"output":5}}',
    );
    const prices = await loadPrices(file);
    const usage = { inputTokens: 10_000, outputTokens: 100, cachedInputTokens: 9_000 };
    expect(costUsd(prices, 'a', usage)).toBe(0.0024);
    expect(costUsd(prices, 'b', usage)).toBe(0.0105);
    // Nor has it a price of cache writes.
    expect(costUsd(prices, 'a', { ...usage, cacheWriteTokens: 1_000 })).toBe(0.0024);
  });

  test('wins over the library and the own list, snapshots and the endpoint included', async () => {
    const one = '{"input":1,"output":1}';
    const file = await priceFile(
      `{"gpt-4o":${one},"gpt-6.1-sol":${one},"llama-3.3-70b-versatile":${one}}`,
    );
    const prices = await loadPrices(file);
    const groq = { baseUrl: 'https://api.groq.com/openai/v1' };
    expect(costUsd(prices, 'gpt-4o-2024-05-13', million)).toBe(2);
    expect(costUsd(prices, 'gpt-6.1-sol', million)).toBe(2);
    expect(costUsd(prices, 'llama-3.3-70b-versatile', million, groq)).toBe(2);
  });

  test.each([
    ['not JSON', 'prices', /is not JSON/],
    ['a list', '[]', /wrong at the top/],
    ['a price as text', '{"m":{"input":"1","output":1}}', /wrong at m → input/],
    ['a negative price', '{"m":{"input":-1,"output":1}}', /wrong at m → input/],
    ['half a price', '{"m":{"input":1}}', /wrong at m → output/],
    [
      'a price of cached input as text',
      '{"m":{"input":1,"output":1,"cachedInput":"1"}}',
      /m → cachedInput/,
    ],
    ['a misspelt member', '{"m":{"input":1,"output":1,"outptu":2}}', /wrong at m/],
  ])('that is %s is refused', async (_what, text, message) => {
    await expect(loadPrices(await priceFile(text))).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(message),
    });
  });

  test('that is not there is refused, by name', async () => {
    await expect(loadPrices(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(/MODEL_PRICES_FILE: .*none\.json cannot be read \(ENOENT\)/),
    });
  });
});
