import type { LedgerCleaner } from '../../src/ledger/cleaner.ts';
import { OLDEST_DAYS, withClient } from './fill.ts';
import { time, type MeasuredLedger, type Times } from './operations.ts';

/** Scopes that the cleaner reads at once, and those between two questions to Temporal. */
const PAGE = 200;
const MARKED = 20;
const DAY_MS = 24 * 3_600_000;
/** Runs that are older than this are cleaned away: three of four. */
const OLD_MS = (OLDEST_DAYS / 4) * DAY_MS;
/** Where a look begins that does not begin at the oldest: a small ledger has a page after it. */
const MIDDLE_MS = (OLDEST_DAYS * 5 * DAY_MS) / 6;

/** The table of steps and its indexes, in bytes and rows. */
export interface TableState {
  when: string;
  bytes: number;
  indexBytes: number;
  live: number;
  dead: number;
}

export async function stateOf(url: string, when: string): Promise<TableState> {
  return withClient(url, async (client) => {
    // What this session and others have counted is told late.
    await client.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await client.query<Omit<TableState, 'when'>>(`
      SELECT pg_table_size(relid)::float8 AS bytes, pg_indexes_size(relid)::float8 AS "indexBytes",
        n_live_tup::float8 AS live, n_dead_tup::float8 AS dead
      FROM pg_stat_user_tables WHERE schemaname = 'agent_once' AND relname = 'steps'`);
    const [state] = rows;
    if (!state) throw new Error('There is no table of steps');
    return { when, ...state };
  });
}

export function cleanerOf({ ledger }: MeasuredLedger): LedgerCleaner {
  if (!ledger.cleaner) throw new Error('The ledger has no cleaner');
  return ledger.cleaner;
}

/** The cleaner's look at its first page, and at one that begins at a cursor. */
export async function lookForOld(of: MeasuredLedger, middle: string, times: Times): Promise<void> {
  const cleaner = cleanerOf(of);
  const query = { olderThanMs: OLD_MS, limit: PAGE };
  await time(times, "the cleaner's first page", () => cleaner.oldScopes({ ...query, after: null }));
  const page = await time(times, "the cleaner's page in the middle", () =>
    cleaner.oldScopes({ ...query, after: middle }),
  );
  if (page.scopes.length !== PAGE) throw new Error(`A page has ${page.scopes.length} old scopes`);
}

/** A cursor between old scopes. */
export function middleOf(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ at: string; scope: string }>(
      `SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, scope
       FROM agent_once.steps
       WHERE step = 't1.model' AND created_at > clock_timestamp() - $1::double precision * interval '1 millisecond'
       ORDER BY created_at LIMIT 1`,
      [MIDDLE_MS],
    );
    return JSON.stringify([rows[0]?.at, rows[0]?.scope]);
  });
}

/**
 * Removes so many of the oldest scopes, as the cleaning does it.
 *
 * @returns steps that were removed
 */
export async function clean(of: MeasuredLedger, scopes: number, times: Times): Promise<number> {
  const cleaner = cleanerOf(of);
  let steps = 0;
  let after: string | null = null;
  for (let done = 0; done < scopes;) {
    const limit = Math.min(PAGE, scopes - done);
    const page = await cleaner.oldScopes({ olderThanMs: OLD_MS, after, limit });
    for (let at = 0; at < page.scopes.length; at += MARKED) {
      const some = page.scopes.slice(at, at + MARKED).map(({ scope }) => scope);
      await time(times, `the cleaner's batch, ${MARKED} runs`, async () => {
        await cleaner.mark(some);
        for (const scope of some) steps += (await cleaner.remove(scope)).steps;
      });
    }
    done += page.scopes.length;
    after = page.next;
    if (after === null) break;
  }
  return steps;
}
