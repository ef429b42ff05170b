import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens?: number | undefined;
  reasoningTokens?: number | undefined;
}

/** What the script says, else a quarter of the characters; `undefined`: report none. */
export function usageOf(request: ChatRequest, reply: ParsedReply): Usage | undefined {
  if (reply.usage === null) return undefined;
  if (reply.usage !== undefined) return reply.usage;
  const asked = JSON.stringify([request.messages, request.tools ?? []]);
  const answered = (reply.refusal ?? reply.say ?? '') + JSON.stringify(reply.calls ?? []);
  return {
    inputTokens: Math.ceil(asked.length / 4),
    outputTokens: Math.ceil(answered.length / 4),
  };
}
