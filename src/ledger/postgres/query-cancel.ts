import type { Database } from './database.ts';

/** A transaction of this moment: the numbers of processes, and poolers' sessions, go on to others. */
export interface Backend {
  pid: number;
  began: string;
}

/** Reads the `Backend` of the transaction that it runs in. */
export const BACKEND = `SELECT pg_catalog.pg_backend_pid() AS pid,
  extract(epoch FROM pg_catalog.now()) AS began`;

const CANCEL = `
SELECT pg_cancel_backend(a.pid) FROM pg_stat_activity AS a
WHERE a.pid = $1::int AND extract(epoch FROM a.xact_start) = $2::numeric`;

const AGAIN_MS = 500;

/**
 * Ends the query of a transaction whose caller has given up: the server goes on with it otherwise, and
 * its locks stand in the way. Best effort: what cannot be cancelled ends with its session's timeouts.
 */
export class QueryCancel {
  readonly #database: Database;
  readonly #signal: AbortSignal | undefined;
  /** Absent until the transaction has begun. */
  readonly #backend: () => Backend | undefined;
  #repeating: NodeJS.Timeout | undefined;
  #underWay = Promise.resolve();

  constructor(
    database: Database,
    signal: AbortSignal | undefined,
    backend: () => Backend | undefined,
  ) {
    this.#database = database;
    this.#signal = signal;
    this.#backend = backend;
    signal?.addEventListener('abort', this.#begin, { once: true });
    // While a connection was awaited.
    if (signal?.aborted) this.#begin();
  }

  /** Awaited before the transaction ends: a cancel that comes later would meet whoever has its session next. */
  async stop(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#begin);
    clearInterval(this.#repeating);
    await this.#underWay;
  }

  /** Again and again: one that was on its way to the server has not begun there. */
  readonly #begin = (): void => {
    this.#cancel();
    this.#repeating ??= setInterval(() => this.#cancel(), AGAIN_MS);
  };

  #cancel(): void {
    this.#underWay = this.#underWay.then(async () => {
      const backend = this.#backend();
      if (!backend) return;
      await this.#database.query(CANCEL, [backend.pid, backend.began]).catch(() => undefined);
    });
  }
}
