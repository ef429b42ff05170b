import type { Queryable } from './database.ts';

export interface Counters {
  /** Effects. */
  refunds: number;
  emails: number;
  /** Requests that arrived, duplicates and failures included. */
  refundRequests: number;
  emailRequests: number;
}

/** Counts a request, apart from the transaction of its effect: a failure keeps it counted. */
export async function countRequest(db: Queryable, endpoint: 'refunds' | 'emails'): Promise<void> {
  await db.query('UPDATE shop.request_counts SET requests = requests + 1 WHERE endpoint = $1', [
    endpoint,
  ]);
}

export async function readCounters(db: Queryable): Promise<Counters> {
  const { rows } = await db.query<Counters>(
    `SELECT (SELECT count(*) FROM shop.refunds)::int AS refunds,
            (SELECT count(*) FROM shop.emails)::int AS emails,
            (SELECT requests FROM shop.request_counts WHERE endpoint = 'refunds')::int AS "refundRequests",
            (SELECT requests FROM shop.request_counts WHERE endpoint = 'emails')::int AS "emailRequests"`,
  );
  return rows[0] as Counters;
}

/** Puts the shop back to its first day; the notes of runs go too. */
export async function resetShop(db: Queryable): Promise<void> {
  await db.query(`
    TRUNCATE shop.refunds, shop.emails, shop.notes RESTART IDENTITY;
    DELETE FROM agent_once_idempotency.requests WHERE tenant = 'shop';
    UPDATE shop.orders SET refunded_cents = 0;
    UPDATE shop.request_counts SET requests = 0;`);
}
