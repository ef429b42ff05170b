import { isObject, type JsonObject, type JsonValue } from '../../../contract/json-value.ts';
import type { Merged } from '../event-stream.ts';

const END = /^response\.(?:completed|incomplete|failed)$/;

/**
 * The response that an event stream ends with, or the error that ended it, as `{ error }`.
 *
 * @returns `undefined`: it is no stream of a response
 */
export function lastResponse(events: readonly JsonValue[]): Merged | undefined {
  const typed = events.filter(isTyped);
  const end = typed.findLast(({ type }) => END.test(type));
  if (end) return { value: end['response'] };
  const error = typed.findLast(({ type }) => type === 'error');
  // The error is a member of the event, or the event itself.
  if (error) return { value: { error: error['error'] ?? { ...error, type: null } } };
  return typed.some(({ type }) => type.startsWith('response.')) ? 'cut' : undefined;
}

/** What an event adds to the answer's text. */
export function textInEvent(event: JsonValue): string {
  const { type, delta } = isObject(event) ? event : {};
  return type === 'response.output_text.delta' && typeof delta === 'string' ? delta : '';
}

function isTyped(event: JsonValue): event is JsonObject & { type: string } {
  return isObject(event) && typeof event['type'] === 'string';
}
