import { z } from 'zod';
import type { JsonValue } from '../../../contract/json-value.ts';
import type { Reading } from '../answer.ts';
import { readError } from '../error-body.ts';
import { argumentsOfCall, modelName, text, usageOf } from '../fields.ts';

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
  arguments: argumentsOfCall.catch(''),
});
type Item = z.output<typeof item>;

/** What we read of a response. */
const response = z.object({
  model: modelName,
  status: z.string().nullish(),
  output: z.array(item),
  incomplete_details: z.object({ reason: text }).nullish().catch(undefined),
  error: z.unknown().optional(),
});

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
      arguments: args,
    })),
    // All of it, in its order and with its IDs: an item without the one before it is refused.
    ...(output.length === 0 ? {} : { data: (value as { output: JsonValue }).output }),
    finish: output.some((each) => each.status === 'incomplete')
      ? (incomplete?.reason ?? 'an incomplete item')
      : finishOf(status, incomplete?.reason),
    saysCalls: false,
    refusal: refusals.length > 0 ? refusals.join('') : null,
    error: status === 'failed' ? readError(error ?? {}) : undefined,
    usage: usageOf(value),
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
