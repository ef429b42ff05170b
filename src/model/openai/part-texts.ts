import type { JsonValue } from '../../contract/json-value.ts';
import type { ModelRequest } from '../port.ts';

/** The texts of the parts that a request gives back, the longest first. */
export function partTexts({ messages }: ModelRequest): string[] {
  const parts = messages.flatMap((message) =>
    message.role === 'assistant'
      ? [message.opaque?.data, ...message.calls.map(({ opaque }) => opaque?.data)]
      : [],
  );
  const texts = parts.flatMap((part) => (part === undefined ? [] : textsIn(part)));
  const told = texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  return [...new Set(told)].sort((a, b) => b.length - a.length);
}

/** Shorter ones are names, kinds and words of a language. */
const SHORTEST_PART = 16;

function textsIn(value: JsonValue): string[] {
  if (typeof value === 'string') return value.length >= SHORTEST_PART ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inside: JsonValue) => textsIn(inside));
}
