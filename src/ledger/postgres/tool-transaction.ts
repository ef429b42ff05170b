import type { PoolClient, QueryResultRow } from 'pg';
import type { Transaction } from '../../contract/transaction.ts';

/**
 * The transaction that a tool is given. Its statements run one after another, also when the tool
 * does not wait for them, and none runs after the end.
 */
export class ToolTransaction implements Transaction {
  readonly #client: PoolClient;
  readonly #begin: () => Promise<void>;
  readonly #translate: (error: unknown) => unknown;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #firstError: unknown;

  /**
   * @param hooks `begin` is called before each statement; `translate` says what to throw for an
   *   error of the database
   */
  constructor(
    client: PoolClient,
    hooks: { begin: () => Promise<void>; translate: (error: unknown) => unknown },
  ) {
    this.#client = client;
    this.#begin = hooks.begin;
    this.#translate = hooks.translate;
  }

  /** The first statement's error, also when the tool went on after it. */
  get firstError(): unknown {
    return this.#firstError;
  }

  query<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<{ rows: Row[]; rowCount: number | null }> {
    if (this.#ended) {
      return Promise.reject(
        new Error('The transaction of this tool call has ended: await every query in the tool.'),
      );
    }
    const query = this.#last.then(() => this.#run<Row>(text, values));
    this.#last = query.catch(() => {});
    return query;
  }

  /** Refuses further statements and waits for those that were sent. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#last;
  }

  async #run<Row>(
    text: string,
    values: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }> {
    await this.#begin();
    try {
      const { rows, rowCount } = await this.#client.query<QueryResultRow>(text, [...values]);
      return { rows: rows as Row[], rowCount };
    } catch (error) {
      const thrown = this.#translate(error);
      this.#firstError ??= thrown;
      throw thrown;
    }
  }
}
