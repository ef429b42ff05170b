import type { ChatMessage, ChatRequest } from '../wire.ts';
import type { InputItem, ResponsesRequest } from './request.ts';
import { inputItems, isAnswerItem } from './request.ts';

/** A Responses request in the shape that scripts read. One answer is one assistant message. */
export function toChat(request: ResponsesRequest): ChatRequest {
  const { model, instructions, tools } = request;
  const messages: ChatMessage[] = [];
  if (instructions) messages.push({ role: 'system', content: instructions });
  let said: InputItem[] = [];
  const endTurn = () => {
    if (said.length > 0) messages.push(toAssistantMessage(said));
    said = [];
  };
  for (const item of inputItems(request)) {
    if (isAnswerItem(item)) {
      said.push(item);
      continue;
    }
    endTurn();
    if (item.type === 'message') {
      messages.push({ role: item.role, content: item.content });
    } else if (item.type === 'function_call_output') {
      messages.push({ role: 'tool', tool_call_id: item.call_id, content: item.output });
    }
  }
  endTurn();
  return {
    model,
    messages,
    ...(tools
      ? {
          tools: tools.map(({ type, ...tool }) => ({ type, function: tool })),
        }
      : {}),
  };
}

function toAssistantMessage(items: readonly InputItem[]): ChatMessage {
  const texts = items.flatMap((item) => (item.type === 'message' ? [textOfItem(item)] : []));
  const calls = items.flatMap((item) =>
    item.type === 'function_call'
      ? [
          {
            id: item.call_id,
            type: 'function' as const,
            function: { name: item.name, arguments: item.arguments },
          },
        ]
      : [],
  );
  return {
    role: 'assistant',
    content: texts.length > 0 ? texts.join('') : null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function textOfItem({ content }: Extract<InputItem, { type: 'message' }>): string {
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? part.refusal ?? '').join('');
}
