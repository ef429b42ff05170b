import { createHash } from 'node:crypto';
import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

/** For `ids: "same"`: one that does not depend on the conversation. */
const SAME = createHash('sha256').update('same').digest('hex');

/** A call as it goes out, whichever API it goes through. */
export interface OutgoingCall {
  id: string;
  name: string;
  arguments: string | object;
}

/** Makes the ID of call `index` from the conversation's hash. */
export type MakeCallId = (conversation: string, index: number) => string;

export const makeCallId: MakeCallId = (conversation, index) =>
  `call_${conversation.slice(0, 12)}_${index}`;

/** The same conversation has the same hash, so the same request gets the same call IDs. */
export function hashConversation(request: ChatRequest): string {
  return createHash('sha256').update(JSON.stringify(request.messages)).digest('hex');
}

export function outgoingCalls(
  reply: ParsedReply,
  conversation: string,
  make: MakeCallId,
): OutgoingCall[] {
  const idOf = (index: number) => {
    if (reply.ids === 'empty') return '';
    return reply.ids === 'same' ? make(SAME, 0) : make(conversation, index);
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
