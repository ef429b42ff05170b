import { z } from 'zod';
import { defined } from '../../../contract/defined.ts';
import type { Reading } from '../answer.ts';
import { readError, type ErrorBody } from '../error-body.ts';
import { argumentsOfCall, modelName, text, usageOf } from '../fields.ts';
import { partsOfCall, partsOfMessage } from './parts.ts';

/** Mistral answers with chunks of thinking and of text. */
const content = z.union([
  z.string(),
  z.array(
    z.union([z.string(), z.looseObject({ type: z.string().nullish(), text, refusal: text })]),
  ),
]);

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
  model: modelName,
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
});

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
      const { name, arguments: args } = asked.function;
      const part = partsOfCall(asked);
      return { id: asked.id ?? '', name, arguments: args, ...defined({ data: part }) };
    }),
    ...defined({ data }),
    finish: choice.finish_reason ?? null,
    saysCalls:
      /^(?:tool_calls|tool_use|function_call)$/i.test(choice.finish_reason ?? '') ||
      (said['function_call'] ?? null) !== null,
    refusal: said.refusal ?? refusalIn(said.content),
    error: errorIn(choice.error) ?? errorIn(parsed.data.error),
    usage: usageOf(value),
  };
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
