import type { ChatRequest } from '../../../src/extras/dev/scripted-model/wire.ts';
import { textOf } from '../../../src/extras/dev/scripted-model/wire.ts';

export interface Call {
  name: string;
  arguments: Record<string, string | number>;
}

/** What a tool answered to exactly this call since the last user message; `undefined`: not asked. */
export function findResult(request: ChatRequest, call: Call): object | undefined {
  const wanted = canonical(call.arguments);
  const since = request.messages.findLastIndex((message) => message.role === 'user');
  for (const message of request.messages.slice(since + 1)) {
    const made = message.tool_calls?.find(
      (each) => each.function.name === call.name && canonical(each.function.arguments) === wanted,
    );
    if (!made) continue;
    const answer = request.messages.slice(since).find(({ tool_call_id: id }) => id === made.id);
    if (answer) return parseObject(textOf(answer)) ?? { text: textOf(answer) };
  }
  return undefined;
}

export function errorOf(result: object | undefined): string | undefined {
  const { error } = (result ?? {}) as { error?: unknown };
  if (error === undefined) return undefined;
  return typeof error === 'string' ? error : JSON.stringify(error);
}

function canonical(value: string | object): string | undefined {
  const parsed = typeof value === 'string' ? parseObject(value) : value;
  return parsed && JSON.stringify(Object.entries(parsed).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
