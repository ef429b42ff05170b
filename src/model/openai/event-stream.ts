import { createParser } from 'eventsource-parser';
import type { JsonValue } from '../../contract/json-value.ts';
import { parseOrNothing } from './fields.ts';

/** What a stream's events add up to: an answer, or `cut` where it ended before its answer did. */
export type Merged = { value: JsonValue | undefined } | 'cut';

/** An event stream, which some endpoints send though nobody asked for one. */
interface EventStream {
  /** The JSON of each event. */
  events: JsonValue[];
  /** The stream said that it is complete (`[DONE]`). */
  done: boolean;
  /** An event of it cannot be read: then nobody knows what is missing. */
  broken: boolean;
}

export function readEvents(text: string): EventStream {
  const stream: EventStream = { events: [], done: false, broken: false };
  const parser = createParser({
    onEvent: ({ data }) => {
      const value = parseOrNothing(data);
      if (value !== undefined) stream.events.push(value);
      else if (data.trim() === '[DONE]') stream.done = true;
      else stream.broken = true;
    },
  });
  // The parser waits for an empty line after the last event.
  parser.feed(`${text}\n\n`);
  return stream;
}
