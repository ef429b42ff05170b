import { createHash } from 'node:crypto';
import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

/** A call as it goes out, whichever API it goes through. */
export interface OutgoingCall {
  id: string;
  name: string;
  arguments: string | object;
}

export interface CallIds {
  /** The ID of call `index` of an answer; `conversation` is the hash of what was asked. */
  next(conversation: string, index: number): string;
  /** For `ids: "same"`. */
  same: string;
}

/** The same request gets the same IDs. */
export const repeatableIds: CallIds = {
  next: (conversation, index) => `call_${conversation.slice(0, 12)}_${index}`,
  same: 'call_same',
};

export function hashConversation(request: ChatRequest): string {
  return createHash('sha256').update(JSON.stringify(request.messages)).digest('hex');
}

export function outgoingCalls(
  reply: ParsedReply,
  conversation: string,
  ids: CallIds,
): OutgoingCall[] {
  const idOf = (index: number) => {
    if (reply.ids === 'empty') return '';
    return reply.ids === 'same' ? ids.same : ids.next(conversation, index);
  };
  return (reply.calls ?? []).map((call, index) => ({
    id: call.id ?? idOf(index),
    name: call.name,
    arguments: call.argumentsAs === 'object' ? asObject(call.arguments) : asText(call.arguments),
  }));
}

export function asText(value: string | object): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function asObject(value: string | object): string | object {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as object;
  } catch {
    return value;
  }
}
