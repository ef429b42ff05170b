import { z } from 'zod';

/** The part of a Responses request that is read; other members pass unread. */
const part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  refusal: z.string().optional(),
});
const content = z.union([z.string(), z.array(part)]);
const callId = z.string().min(1).max(64);
const name = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);

const item = z.union([
  z.looseObject({
    type: z.literal('reasoning'),
    id: z.string().nullish(),
    summary: z.array(part),
    encrypted_content: z.string().nullish(),
  }),
  z.looseObject({
    type: z.literal('function_call'),
    id: z.string().nullish(),
    call_id: callId,
    name,
    arguments: z.string(),
  }),
  z.looseObject({ type: z.literal('function_call_output'), call_id: callId, output: content }),
  z.looseObject({ type: z.literal('item_reference'), id: z.string() }),
  z.looseObject({
    type: z.literal('message').default('message'),
    id: z.string().nullish(),
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content,
  }),
]);

export const responsesRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(item).min(1)]),
  instructions: z.string().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        name,
        description: z.string().nullish(),
        parameters: z.looseObject({}).nullish(),
        strict: z.boolean().nullish(),
      }),
    )
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: z.number().int().nullish(),
  temperature: z.number().nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
  store: z.boolean().nullish(),
  include: z.array(z.string()).nullish(),
});

export type ResponsesRequest = z.output<typeof responsesRequest>;
export type InputItem = z.output<typeof item>;
export type ReasoningItem = Extract<InputItem, { type: 'reasoning' }>;
/** A text of the user is one message. */
export function inputItems({ input }: ResponsesRequest): InputItem[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
}

/** What the model said: reasoning, messages and calls of one answer stand side by side. */
export function isAnswerItem(item: InputItem): boolean {
  return (
    item.type === 'reasoning' ||
    item.type === 'function_call' ||
    (item.type === 'message' && item.role === 'assistant')
  );
}

export function asksForEncryptedContent({ include }: ResponsesRequest): boolean {
  return include?.includes('reasoning.encrypted_content') ?? false;
}

/** Every call needs an output after it, every output a call before it. Returns the complaint. */
export function findUnpaired(items: readonly InputItem[]): string | undefined {
  const open = new Set<string>();
  for (const each of items) {
    if (each.type === 'function_call') {
      if (open.has(each.call_id))
        return `Two open function calls have the call_id ${each.call_id}.`;
      open.add(each.call_id);
    } else if (each.type === 'function_call_output' && !open.delete(each.call_id)) {
      return `No tool call found for function call output with call_id ${each.call_id}.`;
    }
  }
  const [unanswered] = open;
  return unanswered === undefined
    ? undefined
    : `No tool output found for function call ${unanswered}.`;
}
