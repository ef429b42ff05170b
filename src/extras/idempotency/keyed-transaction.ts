import type pg from 'pg';
import type { Sealer } from '../../ledger/payload.ts';
import { AnswerNotStored } from './not-stored.ts';
import { RefusedRequest } from './refused-request.ts';
import { fromColumns, toColumns, type AnswerContent } from './sealed-answer.ts';

/** What was asked for, and by whom. */
export interface KeyedRequest {
  tenant: string;
  key: string;
  method: string;
  path: string;
  /** SHA-256 of the query and the canonical body. */
  fingerprint: string;
}

/** An answer as it was sent. */
export interface StoredAnswer extends AnswerContent {
  status: number;
}

export interface KeyedTimes {
  waitMs: number;
  ttlMs: number;
  /** After so long without a sign of life, PostgreSQL ends the transaction. */
  idleMs: number;
}

/** Signs of life in the time after which a holder counts as dead: one may be late. */
const BEATS = 3;
/** No statement: it works in a failed transaction too, and only resets the timer. */
const ALIVE = '-- the handler of an idempotent request is at work';
/** A name that no handler takes for its own: a second savepoint of a name hides the first. */
const SAVEPOINT = 'agent_once_handler';
/** SQLSTATEs: there is no transaction, or not the one that was begun here. */
const ENDED_BY_HANDLER = ['25P01', '3B001'];
/** SQLSTATE: the table has no such column. */
const UNDEFINED_COLUMN = '42703';

interface Row extends AnswerContent {
  fingerprint: string;
  status: number;
  /** Absent in a table of an older version. */
  sealed?: Buffer | null;
}

/**
 * One request under its key, in one transaction. The row of the key is written first: until the
 * transaction ends, a second request with the key waits for it. PostgreSQL ends that of a holder
 * whose connection closes, and of one that gives no sign of life for `idleMs`. A process that runs
 * gives them until `rest`, however long its handler awaits something else.
 */
export class KeyedTransaction {
  readonly #pool: pg.Pool;
  readonly #request: KeyedRequest | undefined;
  readonly #times: KeyedTimes;
  readonly #sealer: Sealer;
  #client: pg.PoolClient | undefined;
  #beat: NodeJS.Timeout | undefined;
  readonly #ignore = (): void => {};

  /**
   * @param request absent: there is no key, so nothing is stored
   * @param sealer encrypts the stored answer
   */
  constructor(pool: pg.Pool, request: KeyedRequest | undefined, times: KeyedTimes, sealer: Sealer) {
    this.#pool = pool;
    this.#request = request;
    this.#times = times;
    this.#sealer = sealer;
  }

  /** Whether the transaction is under way. */
  get open(): boolean {
    return this.#client !== undefined;
  }

  get client(): pg.ClientBase {
    if (this.#client) return this.#client;
    throw new Error('The transaction of this request has ended.');
  }

  /**
   * Begins, or brings the answer that the key has already.
   *
   * @throws {RefusedRequest} `key.conflict`: the key names another request;
   *   `http.duplicate_in_progress`: the same request is still being worked on
   * @throws {AgentOnceError} `payload.unreadable`: the answer is encrypted with a key that is not here
   */
  async begin(): Promise<StoredAnswer | undefined> {
    const client = await this.#pool.connect();
    // A client that is checked out has no other listener: without one the process would end.
    client.on('error', this.#ignore);
    this.#client = client;
    const { waitMs, idleMs } = this.#times;
    try {
      await client.query('BEGIN');
      await client.query(
        `SELECT set_config('lock_timeout', $1, true),
                set_config('idle_in_transaction_session_timeout', $2, true)`,
        [String(Math.max(1, waitMs)), String(idleMs)],
      );
      const stored = this.#request ? await this.#claim(client, this.#request) : undefined;
      if (stored) {
        await this.#end('ROLLBACK');
      } else {
        await client.query(`SET LOCAL lock_timeout = '0'; SAVEPOINT ${SAVEPOINT}`);
        this.#beat = setInterval(() => showLife(client), Math.max(1, idleMs / BEATS));
        this.#beat.unref();
      }
      return stored;
    } catch (error) {
      await this.abandon();
      throw (error as { code?: string }).code === '55P03' ? busy() : error;
    }
  }

  /**
   * Stores the answer and commits; a failure rolls everything back, and stores nothing.
   *
   * @throws {AnswerNotStored} it is not certain that the answer is stored: do not send it
   */
  async finish(answer: StoredAnswer): Promise<void> {
    const { client } = this;
    try {
      // Both fail where the handler ended the transaction itself, and so does what follows.
      const undo = answer.status >= 400 ? 'ROLLBACK TO' : 'RELEASE';
      await client.query(`${undo} SAVEPOINT ${SAVEPOINT}`);
      if (this.#request) await this.#store(client, this.#request, answer);
      await this.#end('COMMIT');
    } catch (error) {
      await this.abandon();
      if (error instanceof AnswerNotStored) throw error;
      const { code = '' } = error as { code?: string };
      if (code === UNDEFINED_COLUMN) throw new AnswerNotStored('table', error);
      throw new AnswerNotStored(
        ENDED_BY_HANDLER.includes(code) ? 'transaction' : 'database',
        error,
      );
    }
  }

  /** The handler is done: from now on `idleMs` ends a transaction that nobody ends. */
  rest(): void {
    clearInterval(this.#beat);
    this.#beat = undefined;
  }

  /** Rolls back what is not yet committed; nothing after `finish`. */
  async abandon(): Promise<void> {
    await this.#end('ROLLBACK').catch(() => undefined);
  }

  async #claim(client: pg.PoolClient, request: KeyedRequest): Promise<StoredAnswer | undefined> {
    const { tenant, key, method, path, fingerprint } = request;
    const names = [tenant, key, method, path];
    await client.query(
      `DELETE FROM agent_once_idempotency.requests
       WHERE tenant = $1 AND key = $2 AND method = $3 AND path = $4
         AND created_at < clock_timestamp() - $5::double precision * interval '1 millisecond'`,
      [...names, this.#times.ttlMs],
    );
    const claimed = await client.query(
      `INSERT INTO agent_once_idempotency.requests (tenant, key, method, path, fingerprint)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [...names, fingerprint],
    );
    if (claimed.rowCount === 1) return undefined;
    const { rows } = await client.query<Row>(
      `SELECT * FROM agent_once_idempotency.requests
       WHERE tenant = $1 AND key = $2 AND method = $3 AND path = $4`,
      names,
    );
    const [row] = rows;
    // Removed in between, when its time was over: the caller asks again.
    if (!row) throw busy();
    if (row.fingerprint !== fingerprint) throw conflict();
    const { status, headers, body, sealed } = row;
    return { status, ...fromColumns(sealed ? { sealed } : { headers, body }, this.#sealer) };
  }

  async #store(client: pg.ClientBase, request: KeyedRequest, answer: StoredAnswer): Promise<void> {
    const { tenant, key, method, path } = request;
    const columns = toColumns(answer, this.#sealer);
    const [set, values] =
      'sealed' in columns
        ? ['sealed = $6', [columns.sealed]]
        : ['headers = $6, body = $7', [columns.headers, columns.body]];
    const { rowCount } = await client.query(
      `UPDATE agent_once_idempotency.requests SET status = $5, ${set}
       WHERE tenant = $1 AND key = $2 AND method = $3 AND path = $4`,
      [tenant, key, method, path, answer.status, ...values],
    );
    if (rowCount !== 1) throw new AnswerNotStored('transaction');
  }

  async #end(statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // A handler whose request was given up may go on: what it still sends must not become part of
    // the transaction of whoever gets the connection next.
    const closes = statement === 'ROLLBACK' && this.#beat !== undefined;
    this.rest();
    if (!client) return;
    let broken: Error | boolean = closes;
    try {
      const { command } = await client.query(statement);
      // PostgreSQL's answer to the COMMIT of a failed transaction is no error.
      if (command !== statement) throw new AnswerNotStored('database');
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      client.off('error', this.#ignore);
      client.release(broken);
    }
  }
}

/** A session that executes something is not idle, and a second query would only queue. */
function showLife(client: pg.PoolClient & { readyForQuery?: boolean }): void {
  if (client.readyForQuery !== false) client.query(ALIVE).catch(() => undefined);
}

function conflict(): RefusedRequest {
  return new RefusedRequest(
    'key.conflict',
    'The key is taken: it names another request. Nothing was done. Use a new key for a new request.',
  );
}

function busy(): RefusedRequest {
  return new RefusedRequest(
    'http.duplicate_in_progress',
    'A request with this key is being worked on. Nothing was done a second time; ask again later with the same key.',
  );
}
