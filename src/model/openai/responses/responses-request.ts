import { defined } from '../../../contract/defined.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../contract/json-value.ts';
import type { ModelMessage, ModelRequest, OpaquePart } from '../../port.ts';
import { askForOutput, type Structured } from '../structured.ts';
import { aboutTools, sendableArguments, sendableName, type GiveBack } from '../request-parts.ts';

/** What an answer is asked to hold besides. */
export const ENCRYPTED = ['reasoning.encrypted_content'];

/**
 * A request in the words of the Responses API, without any state on the endpoint's side: it stores
 * nothing, gives its thoughts encrypted, and gets them back with the conversation.
 *
 * @param encrypted `false`: the model has no thoughts to encrypt, and refuses to be asked for them
 */
export function toResponsesRequest(
  request: ModelRequest,
  endpoint: Structured,
  giveBack: GiveBack,
  encrypted: boolean,
): JsonObject {
  const { model } = request;
  const { messages, format } = askForOutput(request, endpoint);
  const { reasoningEffort, maxOutputTokens, temperature, extraBody = {} } = request;
  const reasoning = isObject(extraBody['reasoning']) ? extraBody['reasoning'] : {};
  const text = isObject(extraBody['text']) ? extraBody['text'] : {};
  const instructions = messages.flatMap((each) => (each.role === 'system' ? each.content : []));
  return {
    ...extraBody,
    model,
    ...(instructions.length === 0 ? {} : { instructions: instructions.join('\n\n') }),
    input: toItems(messages, giveBack),
    // Strict schemas allow less than zod says: arguments are checked here all the same.
    ...aboutTools(request, (tool) => ({ type: 'function', ...tool }), {
      members: { strict: false },
    }),
    ...defined({
      reasoning:
        reasoningEffort === undefined ? undefined : { ...reasoning, effort: reasoningEffort },
      text: format && { ...text, format },
      max_output_tokens: maxOutputTokens,
      temperature,
    }),
    store: false,
    ...(encrypted ? { include: ENCRYPTED } : {}),
  };
}

function toItems(messages: readonly ModelMessage[], giveBack: GiveBack): JsonValue[] {
  /** Names of calls that were said by the endpoint, where it gets its own items back. */
  const names = new Map<string, string>();
  return messages.flatMap((message): JsonValue[] => {
    switch (message.role) {
      case 'system':
        return [];
      case 'user':
        return [{ role: 'user', content: message.content }];
      case 'tool':
        return [
          {
            type: 'function_call_output',
            call_id: names.get(message.callId) ?? message.callId,
            output: message.content,
          },
        ];
      case 'assistant': {
        const items = itemsOf(giveBack(message.opaque));
        const ids = items.filter(isCall).map(({ call_id }) => call_id);
        if (items.length === 0 || ids.length !== message.calls.length || !areNames(ids)) {
          return rebuilt(message);
        }
        for (const [index, { id }] of message.calls.entries()) names.set(id, ids[index] ?? id);
        return items;
      }
    }
  });
}

/** Answers find their calls by them. */
function areNames(ids: readonly string[]): boolean {
  return ids.every((id) => id !== '') && new Set(ids).size === ids.length;
}

function itemsOf(part: OpaquePart | undefined): JsonValue[] {
  return Array.isArray(part?.data) ? part.data : [];
}

function isCall(item: JsonValue): item is { type: 'function_call'; call_id: string } {
  return isObject(item) && item['type'] === 'function_call' && typeof item['call_id'] === 'string';
}

/** A turn of another endpoint, or one that was kept without its items: without IDs, which are not ours. */
function rebuilt({ content, calls }: Extract<ModelMessage, { role: 'assistant' }>): JsonValue[] {
  return [
    ...(content === null || content === '' ? [] : [{ role: 'assistant', content }]),
    ...calls.map((call) => ({
      type: 'function_call',
      call_id: call.id,
      name: sendableName(call.name),
      arguments: sendableArguments(call.arguments),
    })),
  ];
}
