const NUMBER = /^\d+(?:\.\d+)?$/;
/** Every form of HTTP date begins with a weekday; `Date.parse` alone takes almost any text. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * What an endpoint asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC
 * 9110 section 10.2.3), or its own words, such as "Please try again in 7m12.5s".
 *
 * @param said the text of the error
 * @returns milliseconds; `undefined`: nothing, nothing usable, or no wait
 */
export function retryAfterMs(
  headers: Headers | undefined,
  said = '',
  now = Date.now(),
): number | undefined {
  const milliseconds = headers?.get('retry-after-ms')?.trim() ?? '';
  const after = headers?.get('retry-after')?.trim() ?? '';
  let wait = inWords(said);
  if (NUMBER.test(milliseconds)) wait = Number(milliseconds);
  else if (NUMBER.test(after)) wait = Number(after) * 1000;
  else if (HTTP_DATE.test(after)) wait = Date.parse(after) - now;
  return wait > 0 && Number.isFinite(wait) ? Math.ceil(wait) : undefined;
}

const ASKED =
  /\b(?:retry|try again) (?:in|after) ((?:\d+(?:\.\d+)? ?(?:d|h|ms|milli|m|s)[a-z]*[ ,]*)+)/i;
const PART = /(\d+(?:\.\d+)?) ?(d|h|ms|milli|m|s)/gi;
const UNITS_MS: Record<string, number> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  milli: 1,
};

/** `10h17m20.5s`, `45 seconds`, `120ms` after "retry in" or "try again in". */
function inWords(said: string): number {
  const [, asked] = ASKED.exec(said) ?? [];
  if (asked === undefined) return Number.NaN;
  return [...asked.matchAll(PART)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNITS_MS[unit.toLowerCase()] ?? 0),
    0,
  );
}
