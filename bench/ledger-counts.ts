import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** What PostgreSQL has counted of the ledger since it started. */
export interface LedgerCounts {
  /** Statements that clients sent, `BEGIN` and `COMMIT` among them: each is a round trip. */
  statements: number;
  /** Statements that insert, update or delete. */
  writes: number;
  /** Bytes of WAL of all statements, without the records of commits. */
  walBytes: number;
  /** Commits that wrote something: the client waits for the disk. */
  commits: number;
  /** Rows inserted, updated or deleted. */
  rows: number;
}

/** The counts of steps, and apart from them what a worker does whether runs are there or not. */
export interface LedgerSample {
  steps: LedgerCounts;
  /** Renewals of workers' leases: each is a statement, a write, a commit and a row. */
  renewals: number;
}

/** One line of `pg_stat_statements`. */
export interface Statement {
  query: string;
  calls: number;
  walBytes: number;
}

/** For longer than this no connection keeps to itself what rows it has written. */
const STATISTICS_LAG_MS = 11_000;

const STATEMENTS = `
SELECT s.query, s.calls::float8 AS calls, s.wal_bytes::float8 AS "walBytes"
FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid
WHERE d.datname = $1`;

const COMMITS = `
SELECT coalesce(sum(count), 0)::float8 AS commits
FROM pg_get_wal_stats($1, pg_current_wal_flush_lsn(), true)
WHERE "resource_manager/record_type" = 'Transaction/COMMIT'`;

const ROWS = `
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8 AS rows
FROM pg_stat_user_tables WHERE relname <> 'worker_leases'`;

/**
 * Counts by `pg_stat_statements` and `pg_walinspect`, from a database of its own: its own statements are
 * not among those of the ledger.
 */
export class LedgerCounter {
  readonly #elsewhere: pg.Client;
  readonly #ledger: pg.Client;
  readonly #from: string;

  private constructor(elsewhere: pg.Client, ledger: pg.Client, from: string) {
    this.#elsewhere = elsewhere;
    this.#ledger = ledger;
    this.#from = from;
  }

  /** @param url of the ledger, in a PostgreSQL that counts statements */
  static async open(url: string): Promise<LedgerCounter> {
    const elsewhere = new pg.Client({ connectionString: url.replace(/[^/]+$/, 'postgres') });
    const ledger = new pg.Client({ connectionString: url });
    await Promise.all([elsewhere.connect(), ledger.connect()]);
    await elsewhere.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    await elsewhere.query('CREATE EXTENSION IF NOT EXISTS pg_walinspect');
    const { rows } = await elsewhere.query<{ lsn: string }>(
      'SELECT pg_current_wal_flush_lsn()::text AS lsn',
    );
    return new LedgerCounter(elsewhere, ledger, rows[0]?.lsn ?? '');
  }

  /** Waits for some seconds, so that all rows are counted that were written before. */
  async sample(): Promise<LedgerSample> {
    await sleep(STATISTICS_LAG_MS);
    const counted = await this.sampleNow();
    const commits = await this.#elsewhere.query<{ commits: number }>(COMMITS, [this.#from]);
    const rows = await this.#ledger.query<{ rows: number }>(ROWS);
    return {
      ...counted,
      steps: {
        ...counted.steps,
        commits: (commits.rows[0]?.commits ?? 0) - counted.renewals,
        rows: rows.rows[0]?.rows ?? 0,
      },
    };
  }

  /** At once, without commits and rows. */
  async sampleNow(): Promise<LedgerSample> {
    const database = this.#ledger.database ?? '';
    const { rows } = await this.#elsewhere.query<Statement>(STATEMENTS, [database]);
    return countStatements(rows.filter(({ query }) => !query.includes('pg_stat_user_tables')));
  }

  async close(): Promise<void> {
    await Promise.all([this.#elsewhere.end(), this.#ledger.end()]);
  }
}

const RENEWAL = /^\s*INSERT INTO agent_once\.worker_leases\b/i;
/** Not the lock of a `SELECT … FOR UPDATE`. */
const WRITE = /\b(?:INSERT INTO|DELETE FROM)\b|(?<!\b(?:FOR|FOR NO KEY)\s+)\bUPDATE\s+\w/i;

/** Sorts statements into the renewals of leases and all others. */
export function countStatements(statements: readonly Statement[]): LedgerSample {
  const steps = { statements: 0, writes: 0, walBytes: 0, commits: 0, rows: 0 };
  let renewals = 0;
  for (const { query, calls, walBytes } of statements) {
    if (RENEWAL.test(query)) {
      renewals += calls;
      continue;
    }
    steps.statements += calls;
    steps.walBytes += walBytes;
    if (WRITE.test(query)) steps.writes += calls;
  }
  return { steps, renewals };
}
