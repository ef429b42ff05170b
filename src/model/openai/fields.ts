import { z } from 'zod';
import type { JsonValue } from '../../contract/json-value.ts';
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
const usages = z.object({
  usage: z.union([
    z.object({ prompt_tokens: count, completion_tokens: count }),
    z.object({ input_tokens: count, output_tokens: count }),
  ]),
});

/**
 * The usage of an answer of which nothing else may be readable.
 *
 * @returns `null`: it is not told, or cannot be read. The answer may be fine, and is paid for.
 */
export function usageOf(value: unknown): ModelUsage | null {
  const { usage } = usages.safeParse(value).data ?? {};
  if (!usage) return null;
  return 'prompt_tokens' in usage
    ? { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens }
    : { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens };
}

/** @returns `undefined`: it is no JSON */
export function parseOrNothing(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
