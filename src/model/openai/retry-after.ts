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

/** What stands after this is an amount of time. */
const ASKED = /\b(?:retry|try again|wait)(?: (?:your|the|this) request)?(?: in| after| for)? /i;
/** One unit of it: in `10h17m20.5s` they stand together. */
const PART =
  /^(?:,? and |[ ,]*)(\d+(?:\.\d+)?) ?(days?|d|hours?|hrs?|h|milliseconds?|ms|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])/i;
const UNITS_MS: [RegExp, number][] = [
  [/^mi?l?l?i?s/i, 1],
  [/^d/i, 86_400_000],
  [/^h/i, 3_600_000],
  [/^m/i, 60_000],
  [/^s/i, 1_000],
];

/** `10h17m20.5s`, `45 seconds`, `120ms`; `NaN`: no wait is named. */
function inWords(said: string): number {
  const asked = ASKED.exec(said);
  let rest = asked ? said.slice(asked.index + asked[0].length) : '';
  let sum = Number.NaN;
  for (;;) {
    const part = PART.exec(rest);
    if (!part) return sum;
    const [whole, count, unit = ''] = part;
    const ms = UNITS_MS.find(([name]) => name.test(unit))?.[1] ?? 0;
    sum = (Number.isNaN(sum) ? 0 : sum) + Number(count) * ms;
    rest = rest.slice(whole.length);
  }
}
