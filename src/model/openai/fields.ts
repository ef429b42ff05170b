import { z } from 'zod';
import { defined } from '../../contract/defined.ts';
import { isObject, type JsonValue } from '../../contract/json-value.ts';
import type { ModelUsage } from '../port.ts';

/** What both APIs have in an answer. What cannot be read there counts as left out. */
export const text = z.string().nullish().catch(undefined);
export const modelName = z.string().min(1).nullish().catch(undefined);

/** Some servers give the arguments of a call as the object that they are. */
export const argumentsOfCall = z
  .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())])
  .nullish()
  .transform((value) => (typeof value === 'string' ? value : value ? JSON.stringify(value) : ''));

const count = z.number().int().nonnegative();
/**
 * The usage of an answer of which nothing else may be readable.
 *
 * @returns `null`: it is not told, or cannot be read. The answer may be fine, and is paid for.
 */
export function usageOf(value: unknown): ModelUsage | null {
  const usage = isObject(value) ? value['usage'] : undefined;
  const input = told(usage, 'prompt_tokens', 'input_tokens');
  const output = told(usage, 'completion_tokens', 'output_tokens');
  if (!isObject(usage) || input === undefined || output === undefined) return null;
  const ofInput = usage['prompt_tokens_details'] ?? usage['input_tokens_details'];
  const ofOutput = usage['completion_tokens_details'] ?? usage['output_tokens_details'];

  // The names behind the details are those of DeepSeek, Kimi and Anthropic.
  const detailed = told(ofInput, 'cached_tokens');
  const read =
    detailed ?? told(usage, 'prompt_cache_hit_tokens', 'cached_tokens', 'cache_read_input_tokens');
  const written =
    told(ofInput, 'cache_write_tokens', 'cache_creation_tokens') ??
    told(usage, 'cache_creation_input_tokens');
  const cached = (read ?? 0) + (written ?? 0);

  // What the total has besides input and output is in neither of them.
  const left = (told(usage, 'total_tokens') ?? 0) - input - output;
  // Anthropic counts what was cached beside the input, and some gateways pass that on as it is.
  const chat = told(usage, 'prompt_tokens') !== undefined;
  const anthropic = detailed === undefined && told(usage, 'cache_read_input_tokens') !== undefined;
  const beside = anthropic && (!chat || cached > input || left === cached) ? cached : 0;
  // xAI and Gemini count the thinking beside the output; Gemini does not tell it by itself.
  const thought = told(ofOutput, 'reasoning_tokens');
  const unsaid = left - beside;
  const thoughtBeside = unsaid > 0 && (thought ?? unsaid) === unsaid ? unsaid : 0;

  const inputTokens = input + beside;
  const outputTokens = output + thoughtBeside;
  const reasoningTokens = thoughtBeside || thought;
  return {
    inputTokens,
    outputTokens,
    // A part that is greater than the whole means something else.
    ...(cached <= inputTokens
      ? defined({ cachedInputTokens: read, cacheWriteTokens: written })
      : {}),
    ...((reasoningTokens ?? 0) <= outputTokens ? defined({ reasoningTokens }) : {}),
  };
}

/** The first of the members that is a count. */
function told(of: unknown, ...names: string[]): number | undefined {
  if (!isObject(of)) return undefined;
  return names.map((name) => count.safeParse(of[name]).data).find((each) => each !== undefined);
}

/** @returns `undefined`: it is no JSON */
export function parseOrNothing(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
