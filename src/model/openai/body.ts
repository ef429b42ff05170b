import { createParser } from 'eventsource-parser';
import type { JsonValue } from '../../contract/json-value.ts';

/** What came with status 200, whatever its type was said to be. */
export type Body =
  | { kind: 'json'; value: unknown }
  /** An event stream, which some endpoints send though nobody asked for one. */
  | { kind: 'events'; events: readonly JsonValue[]; done: boolean }
  | { kind: 'page' }
  | { kind: 'text' };

/** What a stream's events add up to: an answer, or `cut` where it ended before its answer did. */
export type Merged = { value: JsonValue | undefined } | 'cut';

/** @param answer JSON that was parsed, or the text of anything else */
export function readBody(answer: unknown): Body {
  if (typeof answer !== 'string') return { kind: 'json', value: answer };
  const json = parse(answer);
  if (json !== undefined) return { kind: 'json', value: json };
  if (/^\s*</.test(answer)) return { kind: 'page' };
  const { events, done } = readEvents(answer);
  if (events.length > 0) return { kind: 'events', events, done };
  return { kind: 'text' };
}

/** The JSON of each event, and whether the stream said that it is complete (`[DONE]`). */
function readEvents(text: string): { events: JsonValue[]; done: boolean } {
  const events: JsonValue[] = [];
  let done = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data.trim() === '[DONE]') done = true;
      const value = parse(data);
      if (value !== undefined) events.push(value);
    },
  });
  // The parser waits for an empty line after the last event.
  parser.feed(`${text}\n\n`);
  return { events, done };
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
