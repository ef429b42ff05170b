import { randomUUID } from 'node:crypto';
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Transaction } from '../../contract/transaction.ts';
import type { Claim, Completion } from '../port.ts';
import { codeOf, isConnectionLoss, isReadOnly } from './database-error.ts';
import type { Database } from './database.ts';
import { completeStatement, type CompleteRow } from './finish.ts';
import { BACKEND, QueryCancel, type Backend } from './query-cancel.ts';
import { BEGIN, QUERY_TIMEOUT_MS, WITHIN_TOOL } from './session-settings.ts';

/** What a tool may have changed in the server's session, which others use after it. */
const RESET = 'RESET ALL; RESET ROLE';

/**
 * See `Ledger.transact`. The step's row is touched by the last statement only: a holder that is
 * paused before it blocks no other claim, and one that is paused at all is ended by the database
 * after `leaseMs`, when its row locks would begin to stand in somebody's way.
 */
export async function transactStep(
  database: Database,
  claim: Claim,
  work: (tx: Transaction) => Promise<Completion>,
  signal?: AbortSignal,
): Promise<boolean> {
  const client = await database.connect();
  const session = new Session(client, claim, database, signal);
  try {
    return await session.run(work);
  } finally {
    session.release();
  }
}

/** One transaction on one connection. */
class Session {
  readonly #client: PoolClient;
  readonly #claim: Claim;
  readonly #database: Database;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel: QueryCancel;
  /** A setting of this transaction alone: gone as soon as somebody commits or rolls back. */
  readonly #mark = randomUUID();
  /** What the server said when it ended the connection between two statements. */
  #lost: unknown;
  #reusable = false;
  #readOnly = false;
  #begun: Promise<void> | undefined;
  /** The tool's statements: one runs after another, also when the tool does not wait for them. */
  #statements: Promise<unknown> = Promise.resolve();
  /** Of the tool's statements, also when the tool went on after it. */
  #firstError: unknown;
  #ended = false;
  #backend: Backend | undefined;
  readonly #onError = (error: unknown): void => {
    this.#lost ??= error;
  };

  constructor(client: PoolClient, claim: Claim, database: Database, signal?: AbortSignal) {
    this.#client = client;
    this.#claim = claim;
    this.#database = database;
    this.#signal = signal;
    this.#cancel = new QueryCancel(database, signal, () => this.#backend);
    // A client that is checked out has no other listener: without one the process would end.
    client.on('error', this.#onError);
  }

  async run(work: (tx: Transaction) => Promise<Completion>): Promise<boolean> {
    let completion: Completion;
    try {
      completion = await work({ query: (text, values) => this.#queryOfTool(text, values) });
    } catch (error) {
      await this.#endWork();
      await this.#rollBack();
      throw error;
    }
    await this.#endWork();
    try {
      await this.#begin();
      if (!(await this.#complete(completion))) {
        await this.#rollBack();
        return false;
      }
    } catch (error) {
      await this.#rollBack();
      // After a failed statement the transaction takes no other: the first error is the reason.
      throw codeOf(error) === '25P02' ? (this.#firstError ?? error) : this.#translate(error);
    }
    await this.#commit();
    return true;
  }

  release(): void {
    this.#client.off('error', this.#onError);
    this.#client.release(!this.#reusable || this.#readOnly);
  }

  #queryOfTool<Row>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<{ rows: Row[]; rowCount: number | null }> {
    if (this.#ended) {
      return Promise.reject(
        new Error('The transaction of this tool call has ended: await every query in the tool.'),
      );
    }
    const query = this.#statements.then(async () => {
      this.#signal?.throwIfAborted();
      await this.#begin();
      try {
        const { rows, rowCount } = await this.#client.query<QueryResultRow>(text, [...values]);
        return { rows: rows as Row[], rowCount };
      } catch (error) {
        // Only the connection is the ledger's affair: the tool's own errors stay what they are.
        const ours = isConnectionLoss(error) || isReadOnly(error);
        const thrown = ours ? this.#translate(error) : error;
        this.#firstError ??= thrown;
        throw thrown;
      }
    });
    this.#statements = query.catch(() => {});
    return query;
  }

  /** Refuses further statements of the tool and waits for those that were sent. */
  async #endWork(): Promise<void> {
    this.#ended = true;
    await this.#statements;
    await this.#cancel.stop();
  }

  #begin(): Promise<void> {
    return (this.#begun ??= this.#beginNow());
  }

  async #beginNow(): Promise<void> {
    const idleMs = Math.max(1, Math.floor(this.#claim.leaseMs));
    try {
      // RESET first: whoever had the server's session before may have left settings there. The
      // tool's statements have the database's own, but for what `pg` needs to read the answers.
      const results = await this.#query(
        `${RESET}; ${BEGIN};
         SET LOCAL idle_in_transaction_session_timeout = ${idleMs};
         SET LOCAL agent_once.transaction = '${this.#mark}';
         SET LOCAL client_encoding = 'UTF8'; SET LOCAL DateStyle = 'ISO';
         ${BACKEND}`,
      );
      this.#backend = (results as unknown as QueryResult<Backend>[]).at(-1)?.rows[0];
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async #complete(completion: Completion): Promise<boolean> {
    const statement = await completeStatement(this.#claim, completion, this.#mark);
    const [, { rows }] = await Promise.all([
      this.#query(WITHIN_TOOL.before),
      this.#query<CompleteRow>(statement.text, statement.values),
      this.#query(WITHIN_TOOL.after),
    ]);
    const [row] = rows;
    if (row?.here !== true) {
      throw new AgentOnceError(
        'tool.failed',
        'The tool ended its transaction itself, so its effect and its record could not commit together. Nothing was recorded. Remove COMMIT and ROLLBACK from the tool.',
      );
    }
    return row.answer !== null;
  }

  async #commit(): Promise<void> {
    try {
      await this.#query(`COMMIT; ${RESET}`);
      this.#reusable = true;
    } catch (error) {
      // A connection lost here may have committed: the caller learns it by claiming again.
      throw this.#translate(error);
    }
  }

  /** A connection that cannot even do this is thrown away, and its transaction with it. */
  async #rollBack(): Promise<void> {
    try {
      if (this.#begun) await this.#query(`ROLLBACK; ${RESET}`);
      this.#reusable = true;
    } catch {
      this.#reusable = false;
    }
  }

  /** Several statements in one text are in one session of the server. */
  #query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>> {
    const query = { text, values, query_timeout: QUERY_TIMEOUT_MS };
    return this.#client.query<Row>(query);
  }

  #translate(error: unknown): unknown {
    const reason = isConnectionLoss(error) ? (this.#lost ?? error) : error;
    if (codeOf(reason) === '25P03') {
      // An attempt like any that failed: its process may have been paused, and the next one not be.
      return new Error(
        `The tool left its transaction idle for longer than its lease of ${this.#claim.leaseMs} ms, so the database rolled it back. Do slow work before the first query: the transaction begins with it. Or raise leaseMs.`,
        { cause: reason },
      );
    }
    this.#readOnly ||= isReadOnly(reason);
    return this.#database.translate(reason);
  }
}
