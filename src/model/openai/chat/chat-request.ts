import { defined } from '../../../contract/defined.ts';
import type { JsonObject } from '../../../contract/json.ts';
import type { ModelCall, ModelMessage, ModelRequest } from '../../port.ts';
import type { Endpoint } from '../endpoint.ts';
import { askForOutput, type Format, type Structured } from '../structured.ts';
import { aboutTools, sendableArguments, sendableName, type GiveBack } from '../request-parts.ts';
import { traitsOf } from './dialect-traits.ts';

/** A request in the words of chat completions, as the endpoint's dialect has them. */
export function toChatRequest(
  request: ModelRequest,
  endpoint: Structured & Pick<Endpoint, 'dialect' | 'outputLimitField'>,
  giveBack: GiveBack,
): JsonObject {
  const { model } = request;
  const { dialect, outputLimitField } = endpoint;
  const { messages, format } = askForOutput(request, endpoint);
  const { reasoningEffort, maxOutputTokens, temperature, extraBody = {} } = request;
  const traits = traitsOf(dialect);
  const nameOf = traits.callId ?? ((id: string) => id);

  const toCall = (call: ModelCall, index: number): JsonObject => {
    const part = giveBack(call.opaque);
    return {
      id: nameOf(call.id),
      type: 'function',
      function: { name: sendableName(call.name), arguments: sendableArguments(call.arguments) },
      ...(part ? { extra_content: part.data } : index === 0 ? traits.withoutSignature : {}),
    };
  };
  const toMessage = (message: ModelMessage): JsonObject => {
    switch (message.role) {
      case 'system':
      case 'user':
        return { role: message.role, content: message.content };
      case 'tool':
        return { role: 'tool', tool_call_id: nameOf(message.callId), content: message.content };
      case 'assistant': {
        const part = giveBack(message.opaque);
        const parts = (part?.data ?? {}) as JsonObject;
        if (message.calls.length === 0) {
          return { role: 'assistant', content: message.content ?? '', ...parts };
        }
        return {
          role: 'assistant',
          content: message.content,
          ...traits.withoutThoughts,
          ...parts,
          tool_calls: message.calls.map(toCall),
        };
      }
    }
  };
  return {
    ...extraBody,
    model,
    messages: messages.map(toMessage),
    ...aboutTools(request, (tool) => ({ type: 'function', function: tool }), traits),
    ...defined({
      reasoning_effort: reasoningEffort,
      [outputLimitField]: maxOutputTokens,
      temperature,
      response_format: format && formatInChat(format),
    }),
  };
}

function formatInChat({ type, ...json_schema }: Format): JsonObject {
  return type === 'json_schema' ? { type, json_schema } : { type };
}
