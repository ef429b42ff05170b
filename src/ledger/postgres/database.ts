import pg from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import { toLedgerError } from './database-error.ts';

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
  #closed: Promise<void> | undefined;

  /** @throws {AgentOnceError} `config.invalid` */
  constructor(url: string, options: PostgresLedgerOptions = {}) {
    this.where = describeUrl(url);
    const shared: pg.PoolConfig = {
      connectionString: url,
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
      throw toLedgerError(error, this.where);
    }
  }

  /** A connection of its own for a transaction; the caller releases it. */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.#transactions.connect();
    } catch (error) {
      throw toLedgerError(error, this.where);
    }
  }

  /** Waits for transactions that are under way. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([this.#statements.end(), this.#transactions.end()]).then(() => {});
    await this.#closed;
  }
}

function describeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    // Without the parser's error: it repeats the URL, and with it the password.
    throw new AgentOnceError(
      'config.invalid',
      'LEDGER_URL is not a PostgreSQL URL: postgres://user:password@host:port/database, with special characters in the password percent-encoded.',
    );
  }
  return `${url.host === '' ? 'the local socket' : url.host}${url.pathname}`;
}
