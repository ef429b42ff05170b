/** What a caller prefers (RFC 7240), as far as this service knows it. */
export interface Preferences {
  /** Seconds that the answer may take: `wait=10`. */
  waitSeconds?: number;
  respondAsync: boolean;
}

/** Longest wait, in seconds: proxies give up on a silent connection after a minute. */
export const LONGEST_WAIT_SECONDS = 55;

/**
 * Reads `Prefer`. Unknown and unreadable preferences are ignored, of several equal ones the first
 * counts (RFC 7240 section 2); `respond-async` without a wait wins over nothing.
 */
export function readPreferences(header: string | string[] | undefined): Preferences {
  const preferences: Preferences = { respondAsync: false };
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  for (const part of splitOutsideQuotes(text, ',')) {
    const [preference = ''] = splitOutsideQuotes(part, ';');
    const [name = '', value] = splitOutsideQuotes(preference, '=').map((side) => side.trim());
    if (name.toLowerCase() === 'respond-async') preferences.respondAsync = true;
    if (name.toLowerCase() !== 'wait' || preferences.waitSeconds !== undefined) continue;
    const seconds = /^"?(\d+)"?$/.exec(value ?? '')?.[1];
    if (seconds !== undefined) {
      preferences.waitSeconds = Math.min(Number(seconds), LONGEST_WAIT_SECONDS);
    }
  }
  return preferences;
}

/** A quoted string may hold any sign, an escaped quote too; one without an end goes on to the end. */
function splitOutsideQuotes(text: string, separator: ',' | ';' | '='): string[] {
  const parts = [''];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[^"]/g)) {
    if (token === separator) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** The `Preference-Applied` header (RFC 7240 section 3), where one was applied. */
export function preferenceApplied({ waitSeconds, respondAsync }: Preferences): string | undefined {
  const applied = [
    ...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]),
    ...(respondAsync && waitSeconds === undefined ? ['respond-async'] : []),
  ];
  return applied.length === 0 ? undefined : applied.join(', ');
}
