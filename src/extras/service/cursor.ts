import { sha256Base64url } from '../../contract/hash.ts';
import { canonicalJson, type JsonValue } from '../../contract/json.ts';
import { HttpProblem } from './problem.ts';

/** `next` of a page, and nothing else, where it is the cursor of the same list. */
export const CURSOR = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{11}$/;

/**
 * The cursor after a page. It holds Temporal's token, and what tells that it is one of this list.
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
  throw notOfThisList();
}

/**
 * Reads a page after a token that its caller may have made: the check tells mistakes, and whoever
 * works it out is told by Temporal alone, which answers such a token as if it had failed itself. So
 * it is asked whether it fails without the token too.
 *
 * @throws {HttpProblem} `http.bad_request`: it is no token
 * @throws what `read` throws where that has another reason
 */
export async function readAfter<T>(
  token: string | undefined,
  read: (token: string | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await read(token);
  } catch (error) {
    if (token === undefined) throw error;
    await read(undefined);
    // It may have been away a moment ago.
    return await read(token).catch(() => {
      throw notOfThisList();
    });
  }
}

function notOfThisList(): HttpProblem {
  return new HttpProblem(
    'http.bad_request',
    'The cursor is not one of this list. Send `next` of the page before as it is, with the same agent, status and key, or no cursor, which begins again.',
  );
}

function checkOf(token: string, list: JsonValue): string {
  return sha256Base64url(canonicalJson([token, list])).slice(0, 11);
}
