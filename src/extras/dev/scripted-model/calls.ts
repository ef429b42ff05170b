import { createHash } from 'node:crypto';
import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';

/** A call as it goes out, whichever API it goes through. */
export interface OutgoingCall {
  id: string;
  name: string;
  arguments: string;
}

/** The ID of call `index` of an answer; `conversation` is the hash of what was asked. */
export type CallIds = (conversation: string, index: number) => string;

/** The same request gets the same IDs. */
export const repeatableIds: CallIds = (conversation, index) =>
  `call_${conversation.slice(0, 12)}_${index}`;

export function hashConversation(request: ChatRequest): string {
  return createHash('sha256').update(JSON.stringify(request.messages)).digest('hex');
}

export function outgoingCalls(
  { calls = [] }: ParsedReply,
  conversation: string,
  ids: CallIds,
): OutgoingCall[] {
  return calls.map(({ name, arguments: args }, index) => ({
    id: ids(conversation, index),
    name,
    arguments: asText(args),
  }));
}

export function asText(value: string | object): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
