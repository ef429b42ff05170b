import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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

  test.each([
    'gpt-99',
    'my-model',
    'gpt-5-mini-2025',
    'gpt-5-mini-audio',
    'GPT-5-MINI',
    '',
    'toString',
  ])('of the unknown model %j is null, not zero', async (model) => {
    expect(costUsd(await loadPrices(), model, million)).toBeNull();
  });

  test('of an unknown usage is null, not zero', async () => {
    expect(costUsd(await loadPrices(), 'gpt-5-mini', null)).toBeNull();
  });
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

  test.each([
    ['not JSON', 'prices', /is not JSON/],
    ['a list', '[]', /wrong at the top/],
    ['a price as text', '{"m":{"input":"1","output":1}}', /wrong at m → input/],
    ['a negative price', '{"m":{"input":-1,"output":1}}', /wrong at m → input/],
    ['half a price', '{"m":{"input":1}}', /wrong at m → output/],
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
