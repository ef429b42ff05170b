import { readFile } from 'node:fs/promises';
import {
  calcPrice,
  findProvider,
  type ModelPrice,
  type PriceCalculationResult,
  type Usage,
} from '@pydantic/genai-prices';
import { z } from 'zod';
import { AgentOnceError } from '../contract/errors.ts';
import type { ModelUsage } from './port.ts';

/** Prices that win over the library's, by the model's name. */
export type Prices = ReadonlyMap<string, ModelPrice>;

/** Public list prices of the standard tier that the library, of September 2026, does not have yet. */
const NEWER: Readonly<Record<string, ModelPrice>> = {
  'gpt-6.1-terra': gpt61(1, 5),
  'gpt-6.1-sol': gpt61(2, 10),
  // Costs nothing, and is priced like a small model so that the sums can be seen to work.
  scripted: { input_mtok: 0.25, output_mtok: 2 },
};

/** In USD per million tokens. Over 272,000 tokens of input, all of the call costs more. */
function gpt61(input: number, output: number): ModelPrice {
  const rate = (base: number, more: number) => ({
    base,
    tiers: [{ start: 272_000, price: base * more }],
  });
  return {
    input_mtok: rate(input, 2),
    cache_read_mtok: rate(input / 20, 2),
    cache_write_mtok: rate(input * 1.25, 2),
    output_mtok: rate(output, 1.5),
  };
}

const price = z.number().nonnegative();
const priceFile = z.record(
  z.string().min(1),
  z
    .strictObject({ input: price, output: price, cachedInput: price.optional() })
    .transform(({ input, output, cachedInput }): ModelPrice => ({
      input_mtok: input,
      cache_read_mtok: cachedInput,
      output_mtok: output,
    })),
);

const SNAPSHOT = /^(.+)-\d{4}-\d{2}-\d{2}$/;

/**
 * The prices that win over the library's.
 *
 * @param file a JSON file that changes and extends them
 * @throws {AgentOnceError} `config.invalid`
 */
export async function loadPrices(file?: string): Promise<Prices> {
  const own = file === undefined ? {} : await readPrices(file);
  return new Map(Object.entries({ ...NEWER, ...own }));
}

async function readPrices(file: string): Promise<Record<string, ModelPrice>> {
  const refuse = (problem: string): AgentOnceError =>
    new AgentOnceError(
      'config.invalid',
      `MODEL_PRICES_FILE: ${file} ${problem}. It holds USD per million tokens: {"gpt-6-luna": {"input": 0.1, "output": 0.5}}.`,
    );
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an unknown error';
    throw refuse(`cannot be read (${code})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('is not JSON');
  }
  const parsed = priceFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`is wrong at ${issue?.path.join(' → ') || 'the top'}: ${issue?.message ?? ''}`);
}

/**
 * What a call cost, in USD. `name-2025-08-07` costs what `name` does, unless it has a price of its
 * own.
 *
 * @param at the endpoint that answered: several sell the same model
 * @returns `null`: the price or the usage is unknown. Never zero then
 */
export function costUsd(
  prices: Prices,
  model: string,
  usage: ModelUsage | null,
  at: { baseUrl?: string | undefined } = {},
): number | null {
  if (usage === null) return null;
  const counts: Usage = {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cachedInputTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    output_tokens: usage.outputTokens,
    output_reasoning_tokens: usage.reasoningTokens,
  };
  const own = prices.get(model) ?? prices.get(SNAPSHOT.exec(model)?.[1] ?? '');
  try {
    const found = own ? priceAs(own, counts) : priceAt(at.baseUrl ?? '', model, counts);
    // Fixed to a billionth: sums of binary fractions have noise behind it.
    return found && Number(found.total_price.toFixed(9));
  } catch {
    // The library refuses counts that contradict each other. The answer is paid for, and kept.
    return null;
  }
}

function priceAs(prices: ModelPrice, counts: Usage): PriceCalculationResult {
  const models = [{ id: 'own', match: { equals: 'own' }, prices }];
  return calcPrice(counts, 'own', {
    provider: { id: 'own', name: 'own', api_pattern: '', models },
  });
}

/** They sell their models themselves, whatever gateway is in between, but for the open ones. */
const MAKERS = ['openai', 'anthropic', 'google', 'x-ai'];
const OPEN = /^gpt-oss/i;

/**
 * The price at the endpoint. Where nobody is known to sell there, it is the maker's, if that is the
 * only one: an open model costs what its host asks.
 */
function priceAt(baseUrl: string, model: string, counts: Usage): PriceCalculationResult {
  // Gateways and Vertex put who made or sells a model before its name.
  const bare = model.slice(model.lastIndexOf('/') + 1);
  const seller = findProvider({ providerApiUrl: baseUrl });
  if (seller) {
    const at = { providerId: seller.id };
    return calcPrice(counts, model, at) ?? calcPrice(counts, bare, at);
  }
  const maker = findProvider({ modelId: bare })?.id ?? '';
  if (!MAKERS.includes(maker) || OPEN.test(bare)) return null;
  return calcPrice(counts, bare, { providerId: maker });
}
