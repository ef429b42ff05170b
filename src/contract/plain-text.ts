/** Characters that turn the order around in which what follows is shown (Unicode Annex 9). */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;
/** Whatever ends a line, moves a cursor or is half a character. */
const NO_PART_OF_A_LINE = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of others with its changes of direction shown as escapes: a person must read an amount or a
 * name in the order in which it will be used.
 */
export function showDirection(text: string): string {
  return text.replace(DIRECTION, asEscape);
}

/**
 * Text of others as a part of one line, in a log or on a terminal: control characters, ends of
 * lines, marks of direction and lone surrogates are shown as escapes. It can neither steer the
 * terminal nor look like another line.
 */
export function oneLine(text: string): string {
  return text.replace(NO_PART_OF_A_LINE, asEscape);
}

function asEscape(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
