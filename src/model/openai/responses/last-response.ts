import type { JsonValue } from '../../../contract/json-value.ts';

const ENDS = /^response\.(?:completed|incomplete|failed)$/;

/**
 * The response that an event stream ends with.
 *
 * @returns `undefined`: it does not end, or its events are not those of a response
 */
export function lastResponse(events: readonly JsonValue[]): JsonValue | undefined {
  const end = events.findLast(
    (event) =>
      typeof event === 'object' &&
      event !== null &&
      !Array.isArray(event) &&
      typeof event['type'] === 'string' &&
      ENDS.test(event['type']),
  );
  return (end as { response?: JsonValue } | undefined)?.response;
}
