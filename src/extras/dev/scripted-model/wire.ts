import { z } from 'zod';

/** The part of a chat-completions request that scripts look at; other members pass unread. */
const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z
    .union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))])
    .nullish(),
  tool_calls: z
    .array(
      z.looseObject({
        id: z.string().min(1),
        type: z.literal('function'),
        function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
      }),
    )
    .min(1)
    .nullish(),
  tool_call_id: z.string().nullish(),
});

export const chatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({ name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/) }),
      }),
    )
    .nullish(),
});

export type ChatRequest = z.output<typeof chatRequest>;
export type ChatMessage = ChatRequest['messages'][number];

/** A message's text, whichever of the two forms it came in. */
export function textOf(message: ChatMessage): string {
  if (typeof message.content === 'string') return message.content;
  return (message.content ?? []).map((part) => part.text ?? '').join('');
}

export function offeredTools(request: ChatRequest): string[] {
  return (request.tools ?? []).map((tool) => tool.function.name);
}

/**
 * What providers refuse beyond the shape: every tool call must be answered, right after the
 * message that asks for it, and nothing else may be. Returns the complaint, or `undefined`.
 */
export function findBrokenOrder(messages: readonly ChatMessage[]): string | undefined {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id ?? '')) {
        return `messages[${index}]: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.`;
      }
      continue;
    }
    if (open.size > 0) break;
    open = new Set(message.tool_calls?.map((call) => call.id));
    if (open.size !== (message.tool_calls?.length ?? 0)) {
      return `messages[${index}]: two tool calls have the same id.`;
    }
  }
  return open.size === 0
    ? undefined
    : `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. These have no response: ${[...open].join(', ')}.`;
}
