import { createParser } from 'eventsource-parser';
import type { JsonValue } from '../../contract/json-value.ts';
import { ModelError } from '../port.ts';
import { parseOrNothing } from './fields.ts';
import { withoutThinking } from './text.ts';

/** Of a stream, in bytes: that of the longest answers is about half of it. */
const LONGEST = 64 * 1024 * 1024;

/**
 * Reads a body as it comes, an event stream as a rule.
 *
 * @param idleMs for how long it may send nothing; a comment in a stream is something
 * @param tell gets each piece of it
 * @throws {ModelError} `model.timeout`, `model.bad_answer`
 * @throws {TypeError} it broke off
 */
export async function readStream(
  { body }: Response,
  idleMs: number,
  tell: ((piece: string) => void) | undefined,
): Promise<string> {
  const reader = body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let [text, bytes, silent] = ['', 0, false];
  const cancel = () => void reader.cancel().catch(() => {});
  const timer = setTimeout(() => {
    silent = true;
    // The read that waits is answered with the end.
    cancel();
  }, idleMs);
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      timer.refresh();
      bytes += read.value.byteLength;
      if (bytes > LONGEST) throw tooLong();
      const piece = decoder.decode(read.value, { stream: true });
      text += piece;
      tell?.(piece);
    }
  } finally {
    clearTimeout(timer);
    cancel();
  }
  if (silent) {
    const message = `The model endpoint sent nothing for ${idleMs} ms in the middle of its answer.`;
    throw new ModelError('model.timeout', message, { retryable: true });
  }
  return text + decoder.decode();
}

function tooLong(): ModelError {
  const message = 'The model endpoint sent an event stream of over 64 MiB. It was not read.';
  return new ModelError('model.bad_answer', message, { retryable: false });
}

/** What may become the tag of a thought. */
const BEGUN_TAG = /^\s*(?:<[a-z]*)?$/i;

/**
 * Tells a listener the text of an answer.
 *
 * @param textIn an event's
 * @returns gets the stream piece by piece
 */
export function textTo(
  onText: (text: string) => void,
  textIn: (event: JsonValue) => string,
): (piece: string) => void {
  // Until its first words, it may begin with a thought.
  let head: string | undefined = '';
  const parser = createParser({
    onEvent({ data }) {
      let text = textIn(parseOrNothing(data) ?? null);
      if (head !== undefined) {
        head += text;
        text = withoutThinking(head);
        if (BEGUN_TAG.test(text)) return;
        head = undefined;
      }
      // It may be an async function as well.
      if (text !== '') void (async () => onText(text))().catch(() => {});
    },
  });
  return (piece) => parser.feed(piece);
}
