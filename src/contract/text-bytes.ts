const CUT = ' … (cut)';

/** Size of a text in bytes of UTF-8; also where there is no `Buffer`, as in workflows. */
export function bytesOfText(text: string): number {
  let bytes = 0;
  for (const char of text) bytes += bytesOfChar(char);
  return bytes;
}

/**
 * A text of at most `maxBytes` bytes of UTF-8, well-formed, with a mark at its end where something
 * was left out. Temporal's limits count bytes: of other scripts a character has three or four.
 */
export function cutToBytes(text: string, maxBytes: number, mark = CUT): string {
  const whole = text.toWellFormed();
  if (bytesOfText(whole) <= maxBytes) return whole;
  const room = maxBytes - bytesOfText(mark);
  let bytes = 0;
  let kept = 0;
  for (const char of whole) {
    bytes += bytesOfChar(char);
    if (bytes > room) break;
    kept += char.length;
  }
  return `${whole.slice(0, kept)}${mark}`;
}

/** A lone surrogate is encoded as the replacement character, of three bytes. */
function bytesOfChar(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
