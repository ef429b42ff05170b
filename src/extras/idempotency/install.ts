import { readFileSync } from 'node:fs';
import type pg from 'pg';

/** Any number that no other program is likely to lock. */
const LOCK = 6_311_904_772;

/** Makes the table of requests, whoever else does the same at this moment. */
export async function installIdempotency(pool: pg.Pool): Promise<void> {
  const schema = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');
  // One message, so one transaction: the lock ends with it.
  await pool.query(`SELECT pg_advisory_xact_lock(${LOCK}); ${schema}`);
}

/**
 * Removes answers that are older than `ttlMs`. They are replaced without it too; this keeps the
 * table small.
 *
 * @returns how many
 */
export async function removeExpired(pool: pg.Pool, ttlMs: number): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM agent_once_idempotency.requests
     WHERE created_at < clock_timestamp() - $1::double precision * interval '1 millisecond'`,
    [ttlMs],
  );
  return rowCount ?? 0;
}
