import { randomBytes } from 'node:crypto';
import type { CallIds } from '../calls.ts';
import { hashConversation, outgoingCalls } from '../calls.ts';
import type { ParsedReply } from '../script.ts';
import type { ChatRequest } from '../wire.ts';

type ItemStatus = 'completed' | 'incomplete';

export interface ReasoningOutput {
  type: 'reasoning';
  id: string;
  summary: object[];
  encrypted_content?: string;
}

export type ContentPart =
  | { type: 'output_text'; text: string; annotations: []; logprobs: [] }
  | { type: 'refusal'; refusal: string };

export interface MessageOutput {
  type: 'message';
  id: string;
  role: 'assistant';
  status: ItemStatus;
  content: ContentPart[];
}

export interface CallOutput {
  type: 'function_call';
  id: string;
  call_id: string;
  name: string;
  arguments: string;
  status: ItemStatus;
}

export type OutputItem = ReasoningOutput | MessageOutput | CallOutput;

export interface OutputOptions {
  callIds: CallIds;
  reasoning: boolean;
  encrypted: boolean;
  status: ItemStatus;
}

/** The items of an answer. IDs and encrypted content are new every time, call IDs are not. */
export function toOutput(
  request: ChatRequest,
  reply: ParsedReply,
  { callIds, reasoning, encrypted, status }: OutputOptions,
): OutputItem[] {
  const items: OutputItem[] = [];
  if (reasoning) {
    const { reasoning: thoughts } = reply;
    items.push({
      type: 'reasoning',
      id: newId('rs'),
      summary: thoughts === undefined ? [] : [{ type: 'summary_text', text: thoughts }],
      ...(encrypted ? { encrypted_content: `gAAAAAB${random(72)}` } : {}),
    });
  }
  const said = contentOf(reply);
  if (said) items.push(toMessage(said, status));
  for (const call of outgoingCalls(reply, hashConversation(request), callIds)) {
    const { id, name, arguments: args } = call;
    const rest = { call_id: id, name, arguments: args, status };
    items.push({ type: 'function_call', id: newId('fc'), ...rest });
  }
  return items;
}

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString('hex')}`;
}

function random(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

export function toMessage(part: ContentPart, status: ItemStatus): MessageOutput {
  return { type: 'message', id: newId('msg'), role: 'assistant', status, content: [part] };
}

function contentOf({ say, refusal }: ParsedReply): ContentPart | undefined {
  if (refusal !== undefined) return { type: 'refusal', refusal };
  return say === undefined ? undefined : outputText(say);
}

export function outputText(text: string): ContentPart {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
