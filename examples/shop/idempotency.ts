import type pg from 'pg';
import type { Queryable } from './database.ts';
import { inTransaction } from './database.ts';
import { ShopError } from './shop-error.ts';

/** What was asked for, in the form that two requests are compared in. */
export interface KeyedRequest {
  endpoint: 'refunds' | 'emails';
  /** The `Idempotency-Key`; without one every request is a new one. */
  key: string | undefined;
  body: object;
}

/**
 * Does `effect` once per key. Key and effect commit together; a duplicate that arrives meanwhile
 * waits at the unique constraint, then gets the stored answer. A refused request stores nothing.
 *
 * @throws {ShopError} 422: the key was used for another request
 */
export async function once(
  pool: pg.Pool,
  request: KeyedRequest,
  effect: (tx: Queryable) => Promise<object>,
): Promise<{ answer: object; replayed: boolean }> {
  const { endpoint, key, body } = request;
  return inTransaction(pool, async (tx) => {
    if (key === undefined) return { answer: await effect(tx), replayed: false };

    const claimed = await tx.query(
      `INSERT INTO shop.idempotency_keys (endpoint, key, request) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING`,
      [endpoint, key, body],
    );
    if (claimed.rowCount === 0) return { answer: await storedAnswer(tx, request), replayed: true };

    const answer = await effect(tx);
    await tx.query(
      'UPDATE shop.idempotency_keys SET response = $3 WHERE endpoint = $1 AND key = $2',
      [endpoint, key, answer],
    );
    return { answer, replayed: false };
  });
}

async function storedAnswer(tx: Queryable, { endpoint, key, body }: KeyedRequest): Promise<object> {
  const { rows } = await tx.query<{ response: object; same: boolean }>(
    `SELECT response, request = $3::jsonb AS same
     FROM shop.idempotency_keys WHERE endpoint = $1 AND key = $2`,
    [endpoint, key, body],
  );
  const [stored] = rows;
  if (!stored?.same) {
    throw new ShopError(422, 'This Idempotency-Key was used for a request with another body.');
  }
  return stored.response;
}
