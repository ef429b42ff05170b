import { createHash } from 'node:crypto';

const DIGITS = 12;

/**
 * The idempotency key of one request: the step's token, and what tells its requests apart. The same
 * in every attempt of the same request, until a whole answer to it was read. A server that keeps
 * answers by their key then neither gives an unusable one for ever nor one to another request.
 *
 * @param url where it goes
 * @param body what goes there, as text
 * @param round counts the step's unusable answers
 */
export function requestToken(token: string, url: string, body: string, round: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([url, round]))
    .update(body);
  return `${token}~${hash.digest('hex').slice(0, DIGITS)}`;
}
