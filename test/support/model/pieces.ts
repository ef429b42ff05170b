/** Text in the pieces of a stream: by code point, since half of a surrogate pair is no text. */
export function pieces(text: string): string[] {
  const points = [...text];
  const parts: string[] = [];
  for (let at = 0; at < points.length; at += 24) parts.push(points.slice(at, at + 24).join(''));
  return parts;
}
