import type pg from 'pg';
import { AgentOnceError } from '../contract/errors.ts';

/** What was asked for, and by whom. */
export interface KeyedRequest {
  tenant: string;
  key: string;
  method: string;
  path: string;
  /** SHA-256 of the canonical body. */
  fingerprint: string;
}

/** An answer as it was sent. */
export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface KeyedTimes {
  waitMs: number;
  ttlMs: number;
  idleMs: number;
}

interface Row {
  fingerprint: string;
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * One request under its key, in one transaction. The row of the key is written first: until the
 * transaction ends, a second request with the key waits for it, and PostgreSQL ends that of a
 * holder that died.
 */
export class KeyedTransaction {
  readonly #pool: pg.Pool;
  readonly #request: KeyedRequest | undefined;
  readonly #times: KeyedTimes;
  #client: pg.PoolClient | undefined;
  readonly #ignore = (): void => {};

  /** @param request absent: there is no key, so nothing is stored */
  constructor(pool: pg.Pool, request: KeyedRequest | undefined, times: KeyedTimes) {
    this.#pool = pool;
    this.#request = request;
    this.#times = times;
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
   * @throws {AgentOnceError} `key.conflict`: the key names another request; `step.busy`: the same
   *   request is still being worked on
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
      if (stored) await this.#end('ROLLBACK');
      else await client.query("SET LOCAL lock_timeout = '0'; SAVEPOINT handler");
      return stored;
    } catch (error) {
      await this.abandon();
      throw (error as { code?: string }).code === '55P03' ? busy() : error;
    }
  }

  /** Stores the answer and commits; a failure rolls everything back, and stores nothing. */
  async finish(answer: StoredAnswer): Promise<void> {
    const { client } = this;
    try {
      if (answer.status >= 400) await client.query('ROLLBACK TO SAVEPOINT handler');
      if (this.#request) {
        const { tenant, key, method, path } = this.#request;
        await client.query(
          `UPDATE agent_once_idempotency.requests SET status = $5, headers = $6, body = $7
           WHERE tenant = $1 AND key = $2 AND method = $3 AND path = $4`,
          [tenant, key, method, path, answer.status, answer.headers, answer.body],
        );
      }
      await this.#end('COMMIT');
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  /** Rolls back what is not yet committed; nothing after `finish`. */
  async abandon(): Promise<void> {
    if (this.#client) await this.#end('ROLLBACK').catch(() => undefined);
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
      `SELECT fingerprint, status, headers, body FROM agent_once_idempotency.requests
       WHERE tenant = $1 AND key = $2 AND method = $3 AND path = $4`,
      names,
    );
    const [row] = rows;
    // Removed in between, when its time was over: the caller asks again.
    if (!row) throw busy();
    if (row.fingerprint !== fingerprint) throw conflict();
    return { status: row.status, headers: row.headers, body: row.body };
  }

  async #end(statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    let broken: Error | undefined;
    try {
      await client.query(statement);
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      client.off('error', this.#ignore);
      client.release(broken);
    }
  }
}

function conflict(): AgentOnceError {
  return new AgentOnceError(
    'key.conflict',
    'The key is taken: it names another request. Nothing was done. Use a new key for a new request.',
  );
}

function busy(): AgentOnceError {
  return new AgentOnceError(
    'step.busy',
    'A request with this key is being worked on. Nothing was done a second time; ask again later with the same key.',
  );
}
