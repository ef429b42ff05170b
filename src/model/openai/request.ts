import type OpenAI from 'openai';
import type { ModelMessage, ModelRequest } from '../port.ts';

type Chat = OpenAI.ChatCompletionCreateParamsNonStreaming;
type ChatMessage = OpenAI.ChatCompletionMessageParam;

/** A request in chat completions' words. */
export function toChatRequest(request: ModelRequest): Chat {
  const { model, messages, tools, maxOutputTokens, temperature } = request;
  return {
    model,
    messages: messages.map(toChatMessage),
    // An empty list is refused by some endpoints.
    ...(tools.length === 0
      ? {}
      : { tools: tools.map((tool) => ({ type: 'function' as const, function: tool })) }),
    ...(maxOutputTokens === undefined ? {} : { max_completion_tokens: maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
  };
}

function toChatMessage(message: ModelMessage): ChatMessage {
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: message.content };
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: message.content };
    case 'assistant':
      if (message.calls.length === 0) return { role: 'assistant', content: message.content ?? '' };
      return {
        role: 'assistant',
        content: message.content,
        tool_calls: message.calls.map((call) => ({
          id: call.id,
          type: 'function',
          function: { name: sendableName(call.name), arguments: sendableArguments(call.arguments) },
        })),
      };
  }
}

/**
 * A model can ask for a tool by a name that no endpoint takes back, and its mistake must come back
 * for it to be corrected. Names of real tools pass unchanged.
 */
function sendableName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_';
}

/** Endpoints that feed arguments to a chat template refuse what is not a JSON object. */
function sendableArguments(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {
    // Below.
  }
  return text.trim() === '' ? '{}' : JSON.stringify({ unreadable: text });
}
