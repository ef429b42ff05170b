import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** How far a step is, as the ledger has it. */
interface HeldStep {
  state: string;
  /** The process of its latest claim; `null`: none has claimed it. */
  pid: number | null;
}

const LOOKS_EVERY_MS = 25;
/** The server is killed now and then, also in the middle of a question. */
const ANSWERS_WITHIN_MS = 2_000;

/** Waits for what the ledger has of a step, on a connection of its own. */
export class LedgerWatch {
  readonly #pool: pg.Pool;

  constructor(url: string) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 2,
      connectionTimeoutMillis: ANSWERS_WITHIN_MS,
      query_timeout: ANSWERS_WITHIN_MS,
    });
    this.#pool.on('error', () => undefined);
  }

  /**
   * Until somebody else has the claim of that process.
   *
   * @param pid of the process that had claimed the step and was stopped before its effect
   * @returns `false`: nobody had within `limitMs`
   */
  untilTakenOver(of: StepOf, pid: number, limitMs: number): Promise<boolean> {
    // A step can also be completed without another claim: a person said that it had happened.
    return this.#until(
      of,
      (held) => held.state === 'completed' || (held.state === 'claimed' && held.pid !== pid),
      limitMs,
    );
  }

  /** Until its result is recorded, by whomever. */
  untilRecorded(of: StepOf, limitMs: number): Promise<boolean> {
    return this.#until(of, ({ state }) => state === 'completed', limitMs);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #until(
    of: StepOf,
    matches: (held: HeldStep) => boolean,
    limitMs: number,
  ): Promise<boolean> {
    const over = Date.now() + limitMs;
    for (;;) {
      const held = await this.#read(of).catch(() => undefined);
      if (held && matches(held)) return true;
      if (Date.now() >= over) return false;
      await sleep(LOOKS_EVERY_MS);
    }
  }

  async #read({ workflowId, tool }: StepOf): Promise<HeldStep | undefined> {
    const { rows } = await this.#pool.query<{ state: string; worker: string | null }>(
      `SELECT state, worker FROM agent_once.steps WHERE workflow_id = $1 AND name = $2`,
      [workflowId, tool],
    );
    const [row] = rows;
    if (!row) return undefined;
    // A worker is named by its process and its machine: `4711@host`.
    return { state: row.state, pid: row.worker === null ? null : parseInt(row.worker, 10) };
  }
}

/** A step of a run that calls each tool once. */
export interface StepOf {
  workflowId: string;
  tool: string;
}
