/** Longer waits than this are asked again: the endpoint may have been wrong, or be back. */
const LONGEST_MS = 10 * 60_000;

const NUMBER = /^\d+(?:\.\d+)?$/;
/** Every form of HTTP date begins with a weekday; `Date.parse` alone takes almost any text. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * What an endpoint asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC
 * 9110 section 10.2.3).
 *
 * @returns milliseconds from 1 to ten minutes; `undefined`: nothing, nothing usable, or no wait
 */
export function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const milliseconds = headers?.get('retry-after-ms')?.trim() ?? '';
  const after = headers?.get('retry-after')?.trim() ?? '';
  let wait = Number.NaN;
  if (NUMBER.test(milliseconds)) wait = Number(milliseconds);
  else if (NUMBER.test(after)) wait = Number(after) * 1000;
  else if (HTTP_DATE.test(after)) wait = Date.parse(after) - now;
  return wait > 0 ? Math.min(Math.ceil(wait), LONGEST_MS) : undefined;
}
