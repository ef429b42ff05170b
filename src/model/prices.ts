import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AgentOnceError } from '../contract/errors.ts';
import type { ModelUsage } from './port.ts';

/** USD per million tokens. */
export interface Price {
  input: number;
  output: number;
}

export type Prices = ReadonlyMap<string, Price>;

/**
 * Public list prices of the standard tier, as of November 2026 (gpt-5.5 and older: March). They
 * change, and know neither cache discounts nor surcharges for long contexts: what counts is the
 * provider's bill. A JSON file named by `MODEL_PRICES_FILE` changes and extends them:
 * `{"gpt-6-luna": {"input": 0.1, "output": 0.5}}`.
 */
const PUBLIC: Readonly<Record<string, Price>> = {
  'gpt-6-luna': { input: 0.1, output: 0.5 },
  'gpt-6.1-terra': { input: 1, output: 5 },
  'gpt-6.1-sol': { input: 2, output: 10 },
  'gpt-6-sol': { input: 2, output: 10 },
  'gpt-6-astra': { input: 10, output: 50 },
  'gpt-5.6-luna': { input: 0.2, output: 1.2 },
  'gpt-5.6-terra': { input: 2, output: 12 },
  'gpt-5.2': { input: 1.75, output: 14 },
  'gpt-5.1': { input: 1.25, output: 10 },
  'gpt-5': { input: 1.25, output: 10 },
  'gpt-5-mini': { input: 0.25, output: 2 },
  'gpt-5-nano': { input: 0.05, output: 0.4 },
  'gpt-4.1': { input: 2, output: 8 },
  'gpt-4.1-mini': { input: 0.4, output: 1.6 },
  'gpt-4.1-nano': { input: 0.1, output: 0.4 },
  'gpt-4o': { input: 2.5, output: 10 },
  'gpt-4o-2024-05-13': { input: 5, output: 15 },
  'gpt-4o-mini': { input: 0.15, output: 0.6 },
  o3: { input: 2, output: 8 },
  'o4-mini': { input: 1.1, output: 4.4 },
  // Costs nothing, and is priced like a small model so that the sums can be seen to work.
  scripted: { input: 0.25, output: 2 },
};

const price = z.number().nonnegative();
const priceFile = z.record(z.string().min(1), z.strictObject({ input: price, output: price }));

const SNAPSHOT = /^(.+)-\d{4}-\d{2}-\d{2}$/;

/**
 * The prices to reckon with.
 *
 * @param file a JSON file that changes and extends the built-in ones
 * @throws {AgentOnceError} `config.invalid`
 */
export async function loadPrices(file?: string): Promise<Prices> {
  const own = file === undefined ? {} : await readPrices(file);
  return new Map(Object.entries({ ...PUBLIC, ...own }));
}

async function readPrices(file: string): Promise<Record<string, Price>> {
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
 * @returns `null`: the price or the usage is unknown. Never zero then
 */
export function costUsd(prices: Prices, model: string, usage: ModelUsage | null): number | null {
  if (usage === null) return null;
  const found = prices.get(model) ?? prices.get(SNAPSHOT.exec(model)?.[1] ?? '');
  if (!found) return null;
  const dollars = (usage.inputTokens * found.input + usage.outputTokens * found.output) / 1e6;
  // Fixed to a billionth: sums of binary fractions have noise behind it.
  return Number(dollars.toFixed(9));
}
