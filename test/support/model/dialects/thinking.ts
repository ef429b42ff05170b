import { hashConversation } from '../../../../src/extras/dev/scripted-model/calls.ts';
import { formatOf, refuseWithoutWord } from './formats.ts';
import { Issued, uniqueIds } from './issued.ts';
import {
  invalid,
  openAiErrorBody,
  type Dialect,
  type Problem,
} from '../../../../src/extras/dev/scripted-model/dialect.ts';
import type { ParsedReply } from '../../../../src/extras/dev/scripted-model/script.ts';
import type { ChatMessage, ChatRequest } from '../../../../src/extras/dev/scripted-model/wire.ts';

/**
 * DeepSeek and Kimi: every answer has `reasoning_content`, and every turn with calls must bring it
 * back. For calls of another model DeepSeek takes an empty text, Kimi wants one that is not empty.
 */
export function thinkingDialect(maker: 'deepseek' | 'kimi'): Dialect {
  /** By call ID. */
  const issued = new Issued<string>();

  function refuseTurn(message: ChatMessage, index: number): Problem | undefined {
    const [first] = message.tool_calls ?? [];
    if (!first) return undefined;
    const thoughts = message['reasoning_content'];
    if (typeof thoughts === 'string' && thoughts !== '') return undefined;
    const known = issued.get(first.id);
    const mayBeEmpty = known.length === 0 ? maker === 'deepseek' : known.includes('');
    return thoughts === '' && mayBeEmpty ? undefined : missing(index);
  }

  function missing(index: number): Problem {
    return maker === 'deepseek'
      ? invalid('The `reasoning_content` in the thinking mode must be passed back to the API.', {
          code: 'invalid_request_error',
        })
      : invalid(
          `thinking is enabled but reasoning_content is missing in assistant tool call message at index ${index}`,
        );
  }

  return {
    callIds: uniqueIds,
    errorBody: openAiErrorBody,
    refuseChat(request) {
      const format = maker === 'deepseek' ? formatOf(request) : undefined;
      const refused = format && refuseDeepSeekFormat(format.type, request);
      if (refused || !thinks(request)) return refused;
      for (const [index, message] of request.messages.entries()) {
        const problem = refuseTurn(message, index);
        if (problem) return problem;
      }
      return undefined;
    },
    dressChat({ choices: [{ message }] }, request, reply) {
      if (!thinks(request)) return;
      const thoughts = thoughtsOf(request, reply);
      message['reasoning_content'] = thoughts;
      for (const call of message.tool_calls ?? []) issued.add(call.id, thoughts);
    },
  };
}

/** It knows of no schemas. */
function refuseDeepSeekFormat(type: string, request: ChatRequest): Problem | undefined {
  if (type === 'json_object') return refuseWithoutWord(request);
  return invalid('This response_format type is unavailable now', { code: 'invalid_request_error' });
}

/** What the script orders, else a text of its own for every conversation. */
export function thoughtsOf(request: ChatRequest, reply: ParsedReply): string {
  return reply.reasoning ?? `Thought ${hashConversation(request).slice(0, 8)}.`;
}

/** On, unless it is switched off. */
function thinks(request: ChatRequest): boolean {
  const thinking = request['thinking'] as { type?: unknown } | null | undefined;
  return thinking?.type !== 'disabled';
}
