import { z } from 'zod';
import type { JsonValue } from '../../../contract/json-value.ts';
import type { Reading } from '../answer.ts';
import { readError } from '../error-body.ts';

const count = z.number().int().nonnegative();
const text = z.string().nullish().catch(undefined);

const item = z.looseObject({
  type: z.string(),
  content: z
    .array(z.looseObject({ type: z.string(), text, refusal: text }))
    .nullish()
    .catch(undefined),
  /** Of a message: `commentary` beside calls, or `final_answer`. */
  phase: text,
  name: text,
  call_id: text,
  status: text,
  arguments: z
    .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())])
    .nullish()
    .catch(undefined)
    .transform((value) =>
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    ),
});
type Item = z.output<typeof item>;

/** What we read of a response. */
const response = z.object({
  model: z.string().min(1).nullish().catch(undefined),
  status: z.string().nullish(),
  output: z.array(item),
  incomplete_details: z.object({ reason: text }).nullish().catch(undefined),
  error: z.unknown().optional(),
});

const usage = z.object({ input_tokens: count, output_tokens: count }).nullish().catch(undefined);

const withUsage = z.object({ usage });

/** The usage of an answer of which nothing else may be readable. */
export function usageOfResponse(value: unknown): Reading['usage'] {
  const read = withUsage.safeParse(value).data?.usage;
  return read ? { inputTokens: read.input_tokens, outputTokens: read.output_tokens } : null;
}

/** @returns `undefined`: it is no response, or none that has ended */
export function readResponse(value: unknown): Reading | undefined {
  const parsed = response.safeParse(value);
  if (!parsed.success) return undefined;
  const { model, status, output, incomplete_details: incomplete, error } = parsed.data;
  if (status === 'in_progress' || status === 'queued') return undefined;

  const calls = output.filter(({ type }) => type === 'function_call');
  const refusals = partsOf(output).flatMap(({ refusal }) => refusal ?? []);
  return {
    model: model ?? undefined,
    content: textOf(output),
    calls: calls.map(({ call_id, name, arguments: args }) => ({
      id: call_id ?? '',
      name: name ?? '',
      arguments: args ?? '',
    })),
    // All of it, in its order and with its IDs: an item without the one before it is refused.
    ...(output.length === 0 ? {} : { data: (value as { output: JsonValue }).output }),
    finish: output.some((each) => each.status === 'incomplete')
      ? (incomplete?.reason ?? 'an incomplete item')
      : finishOf(status, incomplete?.reason),
    saysCalls: false,
    refusal: refusals.length > 0 ? refusals.join('') : null,
    error: status === 'failed' ? readError(error ?? {}) : undefined,
    usage: usageOfResponse(value),
  };
}

function finishOf(status: string | null | undefined, reason: string | null | undefined) {
  if (status === 'completed') return 'stop';
  const ended = status ?? 'stop';
  // A reason of its own, or the state itself: `incomplete` for a reason that says nothing.
  return reason && !/^(?:stop|tool_calls)$/.test(reason) ? reason : ended;
}

function textOf(output: readonly Item[]): string | null {
  const messages = output.filter(({ type }) => type === 'message');
  // Where it says which is the answer, the rest is what it said on the way.
  const final = messages.filter(({ phase }) => phase !== 'commentary');
  const parts = partsOf(final.length > 0 ? final : messages).flatMap(
    ({ text: said }) => said ?? [],
  );
  return parts.length > 0 ? parts.join('') : null;
}

function partsOf(items: readonly Item[]) {
  return items.filter(({ type }) => type === 'message').flatMap(({ content }) => content ?? []);
}
