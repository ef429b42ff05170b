import pg from 'pg';
import { sha256Hex } from '../../contract/hash.ts';
import { codeOf, isReadOnly, toLedgerError } from './database-error.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl, type Pooling } from './parse-url.ts';
import {
  BEGIN,
  BEGIN_READING,
  QUERY_TIMEOUT_MS,
  settingsOfSession,
  settingsOfTransaction,
} from './session-settings.ts';

export interface PostgresLedgerOptions {
  /**
   * Connections for the ledger's own statements, and as many again for the transactions of
   * `transactional` tools: one that takes long must not keep leases from being renewed. Default 10.
   */
  poolSize?: number;
  /** Whether nothing is written: a standby, and a user who may only read, are enough. */
  readOnly?: boolean;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A transaction may have to wait for the end of another. */
const TRANSACTION_CONNECT_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 5 * 60_000;
/**
 * SQLSTATEs of a prepared statement that is not there, or is there already: the server's session is
 * not the connection's own. Nothing has run then.
 */
const ANOTHER_SESSION = ['26000', '42P05'];

/**
 * The ledger's connections. Errors come out as `toLedgerError` has them.
 *
 * A connection has a session of its own on the server, or a pooler gives it another one for each
 * transaction. In a session of its own, what the ledger relies on is set once and statements stay
 * prepared. Elsewhere both would be others' affair, or come from others: settings go along with
 * each statement, in the same round trip, and end with it.
 */
export class Database {
  /** Host, port and database, without credentials. */
  readonly where: string;
  readonly #statements: pg.Pool;
  readonly #transactions: pg.Pool;
  readonly #idle = new Set<pg.PoolClient>();
  readonly #readOnly: boolean;
  /** Names of prepared statements, by their text. */
  readonly #names = new Map<string, string>();
  readonly #ownSessions = new WeakSet<pg.ClientBase>();
  #pooling: Pooling;
  #closed: Promise<unknown> | undefined;

  /** @throws {AgentOnceError} `config.invalid` */
  constructor(url: string, { poolSize = 10, readOnly = false }: PostgresLedgerOptions = {}) {
    const target = parsePostgresUrl(url);
    this.where = target.where;
    this.#readOnly = readOnly;
    this.#pooling = target.pooling;
    const shared: pg.PoolConfig = {
      Client: ledgerClient(target),
      max: poolSize,
      application_name: 'agent-once',
      keepAlive: true,
      // What is asked before the answer to the last question is there goes along in one round trip.
      pipeline: true,
      // A model may take longer than the default of 10 s, and a new connection several times what
      // a statement takes.
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    };
    this.#statements = this.#pool({
      ...shared,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      // Awaited before the connection is used.
      onConnect: (client) => this.#begin(client) as unknown as void,
    });
    this.#transactions = this.#pool({
      ...shared,
      connectionTimeoutMillis: TRANSACTION_CONNECT_TIMEOUT_MS,
    });
  }

  #pool(config: pg.PoolConfig): pg.Pool {
    const pool = new pg.Pool(config);
    // An idle connection that breaks must not end the process: the next statement finds out.
    pool.on('error', ignore);
    // One that is lent has no other listener: without one the process would end.
    pool.on('connect', (client) => client.on('error', ignore));
    pool.on('acquire', (client) => this.#idle.delete(client));
    pool.on('release', (_error, client) => this.#idle.add(client));
    pool.on('remove', (client) => this.#idle.delete(client));
    return pool;
  }

  /** Those of both pools; `waiting`: how many callers wait for one. */
  get connections(): { inUse: number; idle: number; waiting: number } {
    const all = { inUse: 0, idle: 0, waiting: 0 };
    for (const { totalCount, idleCount, waitingCount } of [this.#statements, this.#transactions]) {
      all.inUse += totalCount - idleCount;
      all.idle += idleCount;
      all.waiting += waitingCount;
    }
    return all;
  }

  /**
   * One statement, one round trip, one transaction.
   *
   * @param text one of a few constant ones: each session of its own keeps it prepared. The server
   *   takes longer to parse and plan a claim than to run it
   */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const pooling = this.#pooling;
    try {
      const send = (client: pg.PoolClient) => this.#send(client, text, [...values]);
      return (await withClient(this.#statements, send)).rows as Row[];
    } catch (error) {
      if (pooling === 'transaction' || !ANOTHER_SESSION.includes(codeOf(error) ?? '')) {
        throw this.translate(error);
      }
    }
    this.#pooling = 'transaction';
    return this.query<Row>(text, values);
  }

  /**
   * Several statements in one transaction. Its errors are those of the driver.
   *
   * @param begin statements that begin it and set what it relies on
   */
  transaction<T>(begin: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return withClient(this.#transactions, async (client) => {
      await client.query(begin);
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    });
  }

  /** A connection of its own for a transaction; the caller releases it. */
  async connect(): Promise<pg.PoolClient> {
    try {
      return await this.#transactions.connect();
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
    // To its pool, an idle connection with an error is one that broke.
    const broken = new Error('The server takes no writes.');
    if (isReadOnly(error)) for (const client of this.#idle) client.emit('error', broken);
    return toLedgerError(error, this.where);
  }

  async #send(
    client: pg.PoolClient,
    text: string,
    values: unknown[],
  ): Promise<pg.QueryResult<object>> {
    if (this.#pooling !== 'transaction' && this.#ownSessions.has(client)) {
      return client.query({ name: this.#nameOf(text), text, values });
    }
    const named = this.#pooling === 'transaction-prepared' ? { name: this.#nameOf(text) } : {};
    const begin = this.#readOnly ? BEGIN_READING : BEGIN;
    // Sent at once. Where the statement fails, COMMIT rolls back.
    const [, result] = await Promise.all([
      client.query(`${begin}; ${settingsOfTransaction()}`),
      client.query<object>({ ...named, text, values }),
      client.query('COMMIT'),
    ]);
    return result;
  }

  /** Finds out whether a new connection has a session of its own, and sets that up. */
  async #begin(client: pg.ClientBase): Promise<void> {
    const own = this.#pooling === 'session';
    if (own || this.#pooling === 'auto') {
      // Poolers tell their clients a number of their own.
      const { processID } = client as pg.ClientBase & { processID?: number | null };
      const here = own ? undefined : (processID ?? 0);
      const { rowCount } = await client.query(settingsOfSession(this.#readOnly, here));
      if (own || rowCount === 1) {
        this.#ownSessions.add(client);
        return;
      }
    }
    // Alone: a pooler of single statements hangs up, and what was sent behind it would hide why.
    await client.query(`${BEGIN_READING}; ${settingsOfTransaction()}`);
    await client.query('ROLLBACK');
  }

  /** The same for the same text in every process: behind a pooler they may share a session. */
  #nameOf(text: string): string {
    const name = this.#names.get(text) ?? `agent_once_${sha256Hex(text).slice(0, 32)}`;
    this.#names.set(text, name);
    return name;
  }

  /** Waits for transactions that are under way. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([this.#statements.end(), this.#transactions.end()]);
    await this.#closed;
  }
}

/** Lends a connection of a pool. After an error nobody uses it again. */
async function withClient<T>(
  pool: pg.Pool,
  use: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    const result = await use(client);
    broken = false;
    return result;
  } finally {
    client.release(broken);
  }
}

function ignore(): void {}
