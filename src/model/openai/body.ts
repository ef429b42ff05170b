import { createParser } from 'eventsource-parser';
import type { JsonValue } from '../../contract/json-value.ts';

/** What came with status 200, whatever its type was said to be. */
export type Body =
  | { kind: 'json'; value: unknown }
  /** An event stream, which some endpoints send though nobody asked for one. */
  | { kind: 'events'; data: JsonValue[] }
  | { kind: 'page' }
  | { kind: 'text' };

/** @param answer JSON that was parsed, or the text of anything else */
export function readBody(answer: unknown): Body {
  if (typeof answer !== 'string') return { kind: 'json', value: answer };
  const json = parse(answer);
  if (json !== undefined) return { kind: 'json', value: json };
  if (/^\s*</.test(answer)) return { kind: 'page' };
  const data = readEvents(answer);
  if (data.length > 0) return { kind: 'events', data };
  return { kind: 'text' };
}

/** The JSON of each event; `[DONE]` and comments are left out. */
function readEvents(text: string): JsonValue[] {
  const found: JsonValue[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      const value = parse(data);
      if (value !== undefined) found.push(value);
    },
  });
  parser.feed(`${text}\n\n`);
  return found;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
