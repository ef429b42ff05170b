import type { CallIds } from '../calls.ts';
import { hashConversation, outgoingCalls } from '../calls.ts';
import type { ParsedReply } from '../script.ts';
import type { Usage } from '../usage.ts';
import { usageOf } from '../usage.ts';
import type { ChatRequest } from '../wire.ts';

/** 2026-01-01: the same request gets the same bytes. */
const CREATED = 1_767_225_600;

export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
  /** What a dialect adds. */
  [member: string]: unknown;
}

export interface ChatAnswerMessage {
  role: 'assistant';
  content: string | object[] | null;
  refusal: string | null;
  tool_calls?: ToolCall[];
  /** What a dialect adds. */
  [member: string]: unknown;
}

export interface Choice {
  index: 0;
  message: ChatAnswerMessage;
  logprobs: null;
  finish_reason: string | null;
  /** Of an answer that failed half-way. */
  error?: { code: number; message: string };
}

export interface Completion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  system_fingerprint: string;
  choices: [Choice];
  usage?: object;
}

/** A reply as the body of a chat completion. */
export function toCompletion(request: ChatRequest, reply: ParsedReply, ids: CallIds): Completion {
  const conversation = hashConversation(request);
  const usage = usageOf(request, reply);
  return {
    id: `chatcmpl-${conversation.slice(0, 24)}`,
    object: 'chat.completion',
    created: CREATED,
    model: request.model,
    system_fingerprint: 'scripted',
    choices: [
      {
        index: 0,
        message: toMessage(reply, conversation, ids),
        logprobs: null,
        finish_reason: reply.finish === undefined ? usualFinish(reply) : reply.finish,
      },
    ],
    ...(usage ? { usage: chatUsage(usage) } : {}),
  };
}

function toMessage(reply: ParsedReply, conversation: string, ids: CallIds): ChatAnswerMessage {
  const calls = outgoingCalls(reply, conversation, ids).map(({ id, ...rest }) => ({
    id,
    type: 'function' as const,
    function: rest,
  }));
  return {
    role: 'assistant',
    content: reply.say ?? null,
    refusal: reply.refusal ?? null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function usualFinish({ calls = [] }: ParsedReply): string {
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

function chatUsage(usage: Usage): object {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedInputTokens === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
    ...(reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}
