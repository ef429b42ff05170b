/** Characters that turn the order around in which what follows is shown (Unicode Annex 9). */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of others with its changes of direction shown as escapes: a person must read an amount or a
 * name in the order in which it will be used.
 */
export function showDirection(text: string): string {
  return text.replace(
    DIRECTION,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
