/** A URL in pieces, each as it stands there: nothing is decoded. */
export interface UrlParts {
  /** In small letters, without the colon. */
  scheme: string;
  user: string | undefined;
  password: string | undefined;
  /** `host:port`, of some databases several with commas between; may be empty. */
  host: string;
  /** With its `/`, or empty. */
  path: string;
  /** Without its `?`. */
  query: string;
  /** Without its `#`. */
  fragment: string;
}

/**
 * Takes a URL apart without guessing. A parser of the standard takes what is left of a password
 * that has an unencoded `/`, `?` or `#` for the path, and its beginning for the host: then half of
 * it would be shown as an address.
 *
 * @returns `undefined` for what is no URL, and where an `@` stands behind the place where a host
 *   ends: nobody can tell then where the password is
 */
export function splitUrl(text: string): UrlParts | undefined {
  const [, scheme, authority, rest] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)([^]*)$/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) return undefined;
  if (rest.includes('@') || rest.startsWith('\\')) return undefined;
  const at = authority.lastIndexOf('@');
  const credentials = at === -1 ? undefined : authority.slice(0, at);
  const colon = credentials?.indexOf(':') ?? -1;
  const [, path = '', , query = '', , fragment = ''] =
    /^([^?#]*)(\?([^#]*))?(#([^]*))?$/.exec(rest) ?? [];
  return {
    scheme: scheme.toLowerCase(),
    user: colon === -1 ? credentials : credentials?.slice(0, colon),
    password: colon === -1 ? undefined : credentials?.slice(colon + 1),
    host: authority.slice(at + 1),
    path,
    query,
    fragment,
  };
}

/** Text of a URL decoded; `undefined` where a `%` is no encoding. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
