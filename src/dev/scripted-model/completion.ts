import { createHash } from 'node:crypto';
import type { AnswerFault } from './fault.ts';
import type { ParsedReply } from './script.ts';
import type { ChatRequest } from './wire.ts';
import { offeredTools } from './wire.ts';

/** 2026-01-01: the same request gets the same bytes. */
const CREATED = 1_767_225_600;

/** A reply as the body of a chat completion. */
export function toCompletion(request: ChatRequest, reply: ParsedReply) {
  const id = createHash('sha256').update(JSON.stringify(request.messages)).digest('hex');
  const calls = (reply.calls ?? []).map((call, index) => ({
    id: `call_${id.slice(0, 12)}_${index}`,
    type: 'function' as const,
    function: { name: call.name, arguments: argumentsText(call.arguments) },
  }));
  const usage = reply.usage === undefined ? estimateUsage(request, reply) : reply.usage;
  return {
    id: `chatcmpl-${id.slice(0, 24)}`,
    object: 'chat.completion' as const,
    created: CREATED,
    model: request.model,
    system_fingerprint: 'scripted',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant' as const,
          content: reply.say ?? null,
          refusal: reply.refusal ?? null,
          ...(calls.length > 0 ? { tool_calls: calls } : {}),
        },
        logprobs: null,
        finish_reason: reply.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop'),
      },
    ],
    ...(usage === null ? {} : { usage: wireUsage(usage) }),
  };
}

/** What the script would have said, made wrong. */
export function distort(
  request: ChatRequest,
  reply: ParsedReply,
  kind: AnswerFault['kind'],
): ParsedReply {
  const tool = reply.calls?.[0]?.name ?? offeredTools(request)[0] ?? 'no_tool_was_offered';
  switch (kind) {
    case 'unknown-tool':
      return { calls: [{ name: 'tool_that_does_not_exist', arguments: {} }] };
    case 'wrong-arguments':
      return { calls: [{ name: tool, arguments: { no_such_argument: true } }] };
    case 'malformed-arguments':
      return { calls: [{ name: tool, arguments: '{"order": 10' }] };
    case 'several-calls':
      return { ...reply, calls: reply.calls?.flatMap((call) => [call, call]) };
    case 'truncated':
      return {
        ...reply,
        say: firstHalf(reply.say ?? ''),
        calls: reply.calls?.map((call) => ({
          name: call.name,
          arguments: firstHalf(argumentsText(call.arguments)),
        })),
        finish: 'length',
      };
    case 'content-filter':
      return { finish: 'content_filter' };
    case 'refusal':
      return { refusal: 'I cannot help with that.', finish: 'stop' };
  }
}

function argumentsText(value: string | object): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function firstHalf(text: string): string {
  return text.slice(0, Math.ceil(text.length / 2));
}

function estimateUsage(request: ChatRequest, reply: ParsedReply) {
  const asked = JSON.stringify([request.messages, request.tools ?? []]);
  const answered = (reply.say ?? reply.refusal ?? '') + JSON.stringify(reply.calls ?? []);
  return {
    inputTokens: Math.ceil(asked.length / 4),
    outputTokens: Math.ceil(answered.length / 4),
  };
}

function wireUsage(usage: { inputTokens: number; outputTokens: number }) {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

export type Completion = ReturnType<typeof toCompletion>;
