import { z } from 'zod';
import type { ParsedReply, Script } from './script.ts';
import type { ChatRequest } from './wire.ts';
import { textOf } from './wire.ts';

/**
 * Plays what the user's message itself spells out, for tests:
 * `{"script":[{"calls":[{"name":"echo","arguments":{"text":"a"}}]},{"say":"done"}]}`.
 * Entry n is the answer of turn n: there are n - 1 assistant messages since that message.
 */
export function directiveScript(reply: z.ZodType<ParsedReply>): Script {
  const directive = z.strictObject({ script: z.array(reply).min(1) });
  return {
    name: 'directive',
    matches: (request) => findDirective(request) !== undefined,
    reply(request) {
      const found = findDirective(request);
      const parsed = directive.parse(found?.json);
      const turn = request.messages
        .slice(found?.index)
        .filter((message) => message.role === 'assistant').length;
      return parsed.script[turn] ?? { say: 'The script has ended.' };
    },
  };
}

function findDirective(request: ChatRequest): { index: number; json: object } | undefined {
  for (const [index, message] of [...request.messages.entries()].reverse()) {
    if (message.role !== 'user') continue;
    const json = parseObject(textOf(message));
    if (json && Object.hasOwn(json, 'script')) return { index, json };
  }
  return undefined;
}

function parseObject(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
