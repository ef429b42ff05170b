import { randomUUID } from 'node:crypto';
import type { PoolClient, QueryConfig, QueryResultRow } from 'pg';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Transaction } from '../../contract/transaction.ts';
import type { Claim, Completion } from '../port.ts';
import { codeOf, isConnectionLoss, isReadOnly } from './database-error.ts';
import type { Database } from './database.ts';
import { completeStatement, type CompleteRow } from './finish.ts';
import { ToolTransaction } from './tool-transaction.ts';

/** For the ledger's own statements in the transaction; the tool's are bounded by its attempt. */
const QUERY_TIMEOUT_MS = 15_000;

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
  const session = new Session(client, claim, database);
  // The server goes on with a query whose caller has given up, and its locks stand in the way.
  const cancel = (): void => void cancelQuery(database, client);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await session.run(work);
  } finally {
    signal?.removeEventListener('abort', cancel);
    session.release();
  }
}

/** Best effort: what cannot be cancelled ends with its session's timeouts. */
async function cancelQuery(database: Database, client: PoolClient): Promise<void> {
  const { processID } = client as PoolClient & { processID?: number };
  if (typeof processID !== 'number') return;
  await database.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => undefined);
}

/** One transaction on one connection. */
class Session {
  readonly #client: PoolClient;
  readonly #claim: Claim;
  readonly #database: Database;
  /** A setting of this transaction alone: gone as soon as somebody commits or rolls back. */
  readonly #mark = randomUUID();
  /** What the server said when it ended the connection between two statements. */
  #lost: unknown;
  #reusable = false;
  #readOnly = false;
  #begun: Promise<void> | undefined;
  readonly #onError = (error: unknown): void => {
    this.#lost ??= error;
  };

  constructor(client: PoolClient, claim: Claim, database: Database) {
    this.#client = client;
    this.#claim = claim;
    this.#database = database;
    // A client that is checked out has no other listener: without one the process would end.
    client.on('error', this.#onError);
  }

  async run(work: (tx: Transaction) => Promise<Completion>): Promise<boolean> {
    const tx = new ToolTransaction(this.#client, {
      begin: () => (this.#begun ??= this.#begin()),
      translate: (error) => this.#translateForTool(error),
    });
    let completion: Completion;
    try {
      completion = await work(tx);
    } catch (error) {
      await tx.end();
      await this.#rollBack();
      throw error;
    }
    await tx.end();
    try {
      await (this.#begun ??= this.#begin());
      if (!(await this.#complete(completion))) {
        await this.#rollBack();
        return false;
      }
    } catch (error) {
      await this.#rollBack();
      // After a failed statement the transaction takes no other: the first error is the reason.
      throw codeOf(error) === '25P02' ? (tx.firstError ?? error) : this.#translate(error);
    }
    await this.#commit();
    return true;
  }

  release(): void {
    this.#client.off('error', this.#onError);
    this.#client.release(!this.#reusable || this.#readOnly);
  }

  async #begin(): Promise<void> {
    const idleMs = Math.max(1, Math.floor(this.#claim.leaseMs));
    try {
      // RESET first: a tool before this one may have changed settings of the connection.
      await this.#query(
        `RESET ALL; BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
         SET LOCAL idle_in_transaction_session_timeout = ${idleMs};
         SET LOCAL agent_once.transaction = '${this.#mark}'`,
      );
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async #complete(completion: Completion): Promise<boolean> {
    const { text, values } = await completeStatement(this.#claim, completion, this.#mark);
    const [row] = await this.#query<CompleteRow>(text, values);
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
      await this.#query('COMMIT');
      this.#reusable = true;
    } catch (error) {
      // A connection lost here may have committed: the caller learns it by claiming again.
      throw this.#translate(error);
    }
  }

  /** A connection that cannot even do this is thrown away, and its transaction with it. */
  async #rollBack(): Promise<void> {
    if (!this.#begun) {
      this.#reusable = true;
      return;
    }
    try {
      await this.#query('ROLLBACK');
      this.#reusable = true;
    } catch {
      this.#reusable = false;
    }
  }

  /** Without values, several statements may stand in `text`. */
  async #query<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const query: QueryConfig & { query_timeout: number } = {
      text,
      values,
      query_timeout: QUERY_TIMEOUT_MS,
    };
    return (await this.#client.query<Row>(query)).rows;
  }

  /** Only the connection is the ledger's affair: the tool's own errors stay what they are. */
  #translateForTool(error: unknown): unknown {
    return isConnectionLoss(error) || isReadOnly(error) ? this.#translate(error) : error;
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
