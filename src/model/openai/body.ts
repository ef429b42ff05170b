import { createParser } from 'eventsource-parser';
import type { JsonValue } from '../../contract/json-value.ts';

/** What came with status 200, whatever its type was said to be. */
export type Body =
  | { kind: 'json'; value: unknown }
  /** An event stream, which some endpoints send though nobody asked for one. */
  | { kind: 'events'; events: readonly JsonValue[]; done: boolean; broken: boolean }
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
  const stream = readEvents(answer);
  if (stream.events.length > 0) return { kind: 'events', ...stream };
  return { kind: 'text' };
}

/**
 * The JSON of each event, whether the stream said that it is complete (`[DONE]`), and whether an
 * event of it cannot be read: then nobody knows what is missing.
 */
function readEvents(text: string): { events: JsonValue[]; done: boolean; broken: boolean } {
  const events: JsonValue[] = [];
  let done = false;
  let broken = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      const value = parse(data);
      if (value !== undefined) events.push(value);
      else if (data.trim() === '[DONE]') done = true;
      else broken = true;
    },
  });
  // The parser waits for an empty line after the last event.
  parser.feed(`${text}\n\n`);
  return { events, done, broken };
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
