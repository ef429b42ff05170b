import { showDirection } from '../contract/plain-text.ts';

/** What Markdown makes something of within a line: CommonMark, tables and links without marks. */
const MARKS = /[\\`*_~[\]()<>{}|!&#:@]/g;

/**
 * Text of others (a tool's summary, what it threw, a worker's name) as Markdown that reads the same:
 * one line, well-formed, with nothing in it that becomes a link, a picture, a cell or bold.
 *
 * @param longest in characters; the rest is left out
 */
export function markdownText(text: string, longest = 300): string {
  const line = text.replaceAll(/\s+/g, ' ').slice(0, longest);
  // Cutting may leave half of a surrogate pair, which Temporal cannot encode.
  const shown = showDirection(line.replaceAll(/\p{Cc}/gu, ' ').toWellFormed());
  // A name of a host becomes a link by its first dot.
  return shown
    .replace(MARKS, (mark) => `\\${mark}`)
    .replaceAll(/www\./gi, (www) => `${www.slice(0, -1)}\\.`);
}
