import { decoded, splitUrl } from './url-parts.ts';

const GONE = '[redacted]';
/** Hosts with their ports. Anything else in this place may be a password whose host is missing. */
const HOSTS = /^(?:(?:[\w.-]+|\[[0-9a-f:.]+\])?(?::\d{1,5})?(?:,|$))+$/i;
/** Shorter pieces may be parts of any word. */
const SHORTEST = 4;

/**
 * A URL as it may be shown: scheme, host and path. User, password and whatever stands behind `?`
 * or `#` are left out; of one that cannot be taken apart, everything but the scheme.
 */
export function showUrl(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*:\/\/)/i.exec(url)?.[1] ?? '';
  const parts = splitUrl(url);
  if (parts === undefined || scheme === '' || !HOSTS.test(parts.host)) return `${scheme}${GONE}`;
  const user = parts.user === undefined ? '' : `${GONE}@`;
  const query = parts.query === '' ? '' : `?${GONE}`;
  const fragment = parts.fragment === '' ? '' : `#${GONE}`;
  return `${scheme}${user}${parts.host}${parts.path}${query}${fragment}`;
}

/**
 * Somebody else's text as it may be shown: URLs in it as `showUrl` shows them, and without the
 * given secrets.
 *
 * @param secrets of `secretsOfUrl`, keys and the like; those of fewer than four characters are
 *   passed over
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // The longest first: what is a part of another one must not be taken out of it.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= SHORTEST) clean = clean.replaceAll(secret, GONE);
  }
  return clean.replaceAll(/\b(?!file:)[a-z][a-z0-9+.-]*:\/\/\S+/gi, (found) => {
    // What ends the sentence or the brackets around a URL is no part of it, unless it has an `@`.
    const [, url = found, end = ''] = found.includes('@')
      ? []
      : (/^(.*?)([)\]}>.,;:!?'"`]*)$/.exec(found) ?? []);
    return `${showUrl(url)}${end}`;
  });
}

/**
 * What of a URL must stand in no message: its password, in each of the forms and pieces in which
 * a library may repeat it. Also of a URL that cannot be parsed, where the password is whatever
 * stands before the last `@`.
 */
export function secretsOfUrl(url: string): string[] {
  const rest = url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  const credentials = rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
  const colon = credentials.indexOf(':');
  const inQuery = [
    ...url.matchAll(
      /[?&](?:ssl)?(?:password|passwd|pwd|key|token|secret|[a-z_-]+[_-](?:key|token))=([^&#]*)/gi,
    ),
  ];
  const whole = [
    credentials,
    colon === -1 ? credentials : credentials.slice(colon + 1),
    ...inQuery.map(([, value]) => value ?? ''),
  ].filter((secret) => secret !== '');
  const forms = whole.flatMap((secret) => [
    secret,
    decoded(secret) ?? secret,
    encodeURIComponent(secret),
    encodeURIComponent(decoded(secret) ?? secret),
    JSON.stringify(secret).slice(1, -1),
  ]);
  const pieces = forms.flatMap((form) => [
    ...form.split(/[/?#@:\s]+/),
    ...form.split(/[/?#@:\s\\]+/),
  ]);
  return [...new Set([...forms, ...pieces])].filter(({ length }) => length >= SHORTEST);
}
