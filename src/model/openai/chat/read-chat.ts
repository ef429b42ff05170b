import { z } from 'zod';
import type { Reading } from '../answer.ts';
import { readError, type ErrorBody } from '../error-body.ts';
import { partsOfCall, partsOfMessage } from './parts.ts';

const count = z.number().int().nonnegative();
const text = z.string().nullish().catch(undefined);

/** Mistral answers with chunks of thinking and of text. */
const content = z.union([
  z.string(),
  z.array(
    z.union([z.string(), z.looseObject({ type: z.string().nullish(), text, refusal: text })]),
  ),
]);

/** Some servers give the arguments as the object that they are. */
const argumentsOfCall = z
  .union([z.string(), z.record(z.string(), z.json()), z.array(z.json())])
  .nullish()
  .transform((value) =>
    typeof value === 'string' || value === undefined || value === null
      ? (value ?? '')
      : JSON.stringify(value),
  );

/** A call of another kind, or a broken one, goes back to the model as one of no known tool. */
const call = z.looseObject({
  id: text,
  function: z
    .object({ name: z.string(), arguments: argumentsOfCall })
    .catch({ name: '', arguments: '' }),
});

const message = z.looseObject({
  content: content.nullish(),
  refusal: text,
  tool_calls: z.array(call).nullish(),
});

/** What we read of a chat completion; endpoints differ in everything else. */
const completion = z.object({
  model: z.string().min(1).nullish().catch(undefined),
  choices: z
    .array(
      z.object({
        // Google leaves it out where a filter stopped the answer.
        message: message.nullish(),
        finish_reason: z.string().nullish(),
        error: z.unknown().optional(),
      }),
    )
    .min(1),
  error: z.unknown().optional(),
  usage: z.unknown().optional(),
});

// Unreadable numbers are unknown ones: the answer itself may be fine, and is paid for.
const usage = z
  .object({ prompt_tokens: count, completion_tokens: count })
  .nullish()
  .catch(undefined);

const withUsage = z.object({ usage });

/** The usage of an answer of which nothing else may be readable. */
export function usageOfChat(value: unknown): Reading['usage'] {
  const read = withUsage.safeParse(value).data?.usage;
  return read ? { inputTokens: read.prompt_tokens, outputTokens: read.completion_tokens } : null;
}

/** @returns `undefined`: it is no chat completion */
export function readChat(value: unknown): Reading | undefined {
  const parsed = completion.safeParse(value);
  const choice = parsed.data?.choices[0];
  if (!parsed.success || !choice) return undefined;
  // Where a filter took the message away, its reason is left.
  if (!choice.message && !choice.finish_reason && !choice.error) return undefined;

  const said: z.output<typeof message> = choice.message ?? {};
  const data = partsOfMessage(said);
  return {
    model: parsed.data.model ?? undefined,
    content: textOf(said.content),
    calls: (said.tool_calls ?? []).map((asked) => {
      const part = partsOfCall(asked);
      return {
        id: asked.id ?? '',
        name: asked.function.name,
        arguments: asked.function.arguments,
        ...(part === undefined ? {} : { data: part }),
      };
    }),
    ...(data === undefined ? {} : { data }),
    finish: choice.finish_reason ?? null,
    saysCalls:
      /^(?:tool_calls|tool_use|function_call)$/i.test(choice.finish_reason ?? '') ||
      isThere(said['function_call']),
    refusal: said.refusal ?? refusalIn(said.content),
    error: errorIn(choice.error) ?? errorIn(parsed.data.error),
    usage: usageOfChat(value),
  };
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function errorIn(value: unknown): ErrorBody | undefined {
  return value ? readError(value) : undefined;
}

type Content = z.output<typeof message>['content'];

/** Of chunks, those that are text: a thought has none. */
function textOf(said: Content): string | null {
  if (typeof said === 'string') return said;
  if (!said) return null;
  const parts = said.flatMap((part) => (typeof part === 'string' ? part : (part.text ?? [])));
  return parts.length > 0 ? parts.join('') : null;
}

function refusalIn(said: Content): string | null {
  if (!Array.isArray(said)) return null;
  const refusals = said.flatMap((part) => (typeof part === 'string' ? [] : (part.refusal ?? [])));
  return refusals.length > 0 ? refusals.join('') : null;
}
