import pg from 'pg';
import { isReadOnly, toLedgerError } from './database-error.ts';
import { discardIdle } from './discard-idle.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl } from './parse-url.ts';

export interface PostgresLedgerOptions {
  /**
   * Connections for the ledger's own statements, and as many again for the transactions of
   * `transactional` tools: one that takes long must not keep leases from being renewed. Default 10.
   */
  poolSize?: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A transaction may have to wait for the end of another. */
const TRANSACTION_CONNECT_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 5 * 60_000;
const QUERY_TIMEOUT_MS = 15_000;
/** Somebody who holds a row longer than this is asked about again later. */
const LOCK_TIMEOUT_MS = 2_000;

/** The ledger's connections. Errors come out as `toLedgerError` has them. */
export class Database {
  /** Host, port and database, without credentials. */
  readonly where: string;
  readonly #statements: pg.Pool;
  readonly #transactions: pg.Pool;
  readonly #names = new Map<string, string>();
  readonly #discardIdle: () => void;
  #closed: Promise<void> | undefined;

  /** @throws {AgentOnceError} `config.invalid` */
  constructor(url: string, options: PostgresLedgerOptions = {}) {
    const target = parsePostgresUrl(url);
    this.where = target.where;
    const shared: pg.PoolConfig = {
      Client: ledgerClient(target),
      max: options.poolSize ?? 10,
      application_name: 'agent-once',
      keepAlive: true,
      // A model may take longer than the default of 10 s, and a new connection several times what
      // a statement takes.
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    };
    this.#statements = new pg.Pool({
      ...shared,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
    });
    this.#transactions = new pg.Pool({
      ...shared,
      connectionTimeoutMillis: TRANSACTION_CONNECT_TIMEOUT_MS,
    });
    // An idle connection that breaks must not end the process: the next statement finds out.
    this.#statements.on('error', () => {});
    this.#transactions.on('error', () => {});
    this.#discardIdle = discardIdle(this.#statements, this.#transactions);
  }

  /**
   * One statement, one round trip.
   *
   * @param text one of a few constant ones: each connection keeps it prepared. The server takes
   *   longer to parse and plan a claim than to run it
   */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const name = this.#names.get(text) ?? `agent_once_${this.#names.size}`;
    this.#names.set(text, name);
    try {
      return (await this.#statements.query<Row>({ name, text, values: [...values] })).rows;
    } catch (error) {
      throw this.translate(error);
    }
  }

  /**
   * What to throw for an error of one of its connections. After a server has said that it takes no
   * writes, no connection to it is used again: the next one looks its name up anew, and of several
   * hosts finds the one that took over.
   */
  translate(error: unknown): unknown {
    if (isReadOnly(error)) this.#discardIdle();
    return toLedgerError(error, this.where);
  }

  /** A connection of its own for a transaction; the caller releases it. */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.#transactions.connect();
    } catch (error) {
      throw this.translate(error);
    }
  }

  /** Waits for transactions that are under way. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([this.#statements.end(), this.#transactions.end()]).then(() => {});
    await this.#closed;
  }
}
