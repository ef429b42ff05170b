import pg from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { codeOf, isReadOnly, toLedgerError } from './database-error.ts';
import { discardIdle } from './discard-idle.ts';
import { queryEnclosed } from './enclosed-query.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl } from './parse-url.ts';
import { poolingOf, type Pooling } from './pooling.ts';
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
  readonly #readOnly: boolean;
  /** Names of prepared statements, by their text. */
  readonly #names = new Map<string, string>();
  readonly #ownSessions = new WeakSet<pg.ClientBase>();
  readonly #discardIdle: () => void;
  #pooling: Pooling;
  #pooled = false;
  #closed: Promise<void> | undefined;

  /** @throws {AgentOnceError} `config.invalid` */
  constructor(url: string, options: PostgresLedgerOptions = {}) {
    const target = parsePostgresUrl(url);
    this.where = target.where;
    this.#readOnly = options.readOnly ?? false;
    this.#pooling = poolingOf(url);
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
      // Awaited before the connection is used.
      onConnect: (client) => this.#begin(client) as unknown as void,
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

  /** Whether a connection was found that has no session of its own. */
  get pooled(): boolean {
    return this.#pooled;
  }

  /**
   * One statement, one round trip, one transaction.
   *
   * @param text one of a few constant ones: each session of its own keeps it prepared. The server
   *   takes longer to parse and plan a claim than to run it
   */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const pooling = this.#pooling;
    try {
      return await this.#query<Row>(text, values);
    } catch (error) {
      if (pooling === 'transaction' || !ANOTHER_SESSION.includes(codeOf(error) ?? '')) {
        throw this.translate(error);
      }
    }
    this.#pooling = 'transaction';
    this.#pooled = true;
    return this.query<Row>(text, values);
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

  /**
   * Checks that a transaction of several statements can be had: a pooler that pools statements ends
   * the connection at the first.
   *
   * @throws {AgentOnceError} `ledger.invalid`
   */
  async assertTransactions(): Promise<void> {
    const client = await this.connect();
    client.on('error', ignore);
    let broken = true;
    try {
      await client.query(`${BEGIN_READING}; SET LOCAL idle_in_transaction_session_timeout = 5000`);
      await client.query('COMMIT');
      broken = false;
    } catch (error) {
      throw isStatementPooling(error) ? noTransactions(this.where, error) : this.translate(error);
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }

  async #query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    const client = await this.#statements.connect();
    // A client that is checked out has no other listener: without one the process would end.
    client.on('error', ignore);
    let broken = true;
    try {
      const { rows } = await this.#send<Row>(client, text, [...values]);
      broken = false;
      return rows;
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }

  async #send<Row extends pg.QueryResultRow>(
    client: pg.PoolClient,
    text: string,
    values: unknown[],
  ): Promise<pg.QueryResult<Row>> {
    if (this.#pooling !== 'transaction' && this.#ownSessions.has(client)) {
      return client.query<Row>({ name: this.#nameOf(text), text, values });
    }
    const named = this.#pooling === 'transaction-prepared' ? { name: this.#nameOf(text) } : {};
    try {
      return await queryEnclosed<Row>(
        client,
        { ...named, text, values },
        {
          before: [this.#readOnly ? BEGIN_READING : BEGIN, settingsOfTransaction()],
          after: ['COMMIT'],
        },
      );
    } catch (error) {
      // A pooler ends the server's session of a client that leaves in a transaction.
      if (error instanceof pg.DatabaseError) await client.query('ROLLBACK').catch(ignore);
      throw error;
    }
  }

  /** Finds out whether a new connection has a session of its own, and sets that up. */
  async #begin(client: pg.ClientBase): Promise<void> {
    if (this.#pooling === 'session') {
      await client.query(settingsOfSession(this.#readOnly));
      this.#ownSessions.add(client);
      return;
    }
    if (this.#pooling === 'auto') {
      // Poolers tell their clients a number of their own.
      const { processID } = client as pg.ClientBase & { processID?: number | null };
      const { rowCount } = await client.query(settingsOfSession(this.#readOnly, processID ?? 0));
      if (rowCount === 1) {
        this.#ownSessions.add(client);
        return;
      }
    }
    this.#pooled = true;
  }

  /** The same for the same text in every process: behind a pooler they may share a session. */
  #nameOf(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const name = `agent_once_${sha256Hex(text).slice(0, 32)}`;
    this.#names.set(text, name);
    return name;
  }

  /** Waits for transactions that are under way. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([this.#statements.end(), this.#transactions.end()]).then(() => {});
    await this.#closed;
  }
}

function ignore(): void {}

/** PgBouncer's words: it has one SQLSTATE for everything. */
function isStatementPooling(error: unknown): boolean {
  return error instanceof Error && /statement pooling/i.test(error.message);
}

function noTransactions(where: string, cause: unknown): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The pooler at ${where} pools single statements (pool_mode = statement), and the ledger needs transactions. Nothing was changed. Set pool_mode to transaction or session there, or set LEDGER_URL to the database itself.`,
    { cause },
  );
}
