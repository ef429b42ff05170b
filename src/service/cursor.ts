import { sha256Base64url } from '../contract/hash.ts';
import { canonicalJson, type JsonValue } from '../contract/json.ts';
import { HttpProblem } from './problem.ts';

/** `next` of a page, and nothing else, where it is the cursor of the same list. */
export const CURSOR = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{11}$/;

/**
 * The cursor after a page. It holds Temporal's token, and what tells that it is one of this list:
 * Temporal answers a token that is none as if it had failed itself.
 *
 * @param list whose runs, and which of them
 */
export function cursorAfter(token: string, list: JsonValue): string {
  return `${token}.${checkOf(token, list)}`;
}

/** @throws {HttpProblem} `http.bad_request`: it is none, or another list's */
export function tokenOf(cursor: string, list: JsonValue): string {
  const [token = '', check] = cursor.split('.');
  if (check === checkOf(token, list)) return token;
  throw new HttpProblem(
    'http.bad_request',
    'The cursor is not one of this list. Send `next` of the page before as it is, with the same agent, status and key, or no cursor, which begins again.',
  );
}

function checkOf(token: string, list: JsonValue): string {
  return sha256Base64url(canonicalJson([token, list])).slice(0, 11);
}
