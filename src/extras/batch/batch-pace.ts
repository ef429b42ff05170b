import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentOnceError } from '../../contract/errors.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** How many lines of a batch are under way at once: fewer while a server limits its requests. */
export class BatchPace {
  readonly #most: number;
  readonly #onSlowed: (why: AgentOnceError, concurrency: number) => void;
  #concurrency: number;
  #pauseMs = FIRST_PAUSE_MS;
  #pausedUntil = 0;
  /** Lines that have ended since the last change. */
  #ended = 0;

  constructor(
    concurrency: number,
    onSlowed: (why: AgentOnceError, concurrency: number) => void = () => {},
  ) {
    this.#most = concurrency;
    this.#concurrency = concurrency;
    this.#onSlowed = onSlowed;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** A request was refused by a limit. Of many at once the first counts. */
  slowDown(why: AgentOnceError): void {
    if (Date.now() < this.#pausedUntil) return;
    this.#ended = 0;
    this.#concurrency = Math.max(1, Math.floor(this.#concurrency / 2));
    this.#pausedUntil = Date.now() + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#onSlowed(why, this.#concurrency);
  }

  /** A line has ended: after as many as are under way, one more is. */
  ended(): void {
    this.#ended += 1;
    if (this.#ended < this.#concurrency) return;
    this.#ended = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#concurrency = Math.min(this.#most, this.#concurrency + 1);
  }

  /** Waits out a pause; lines that wait go on one after another. Ends early with the signal. */
  async wait(signal: AbortSignal): Promise<void> {
    const left = this.#pausedUntil - Date.now();
    if (left <= 0 || signal.aborted) return;
    await sleep(left * (1 + Math.random()), undefined, { signal }).catch(() => {});
  }
}
