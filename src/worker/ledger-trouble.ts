import { isRefused } from '../activities/failures.ts';
import { AgentOnceError, type ErrorCode } from '../contract/errors.ts';

/**
 * What stands between this worker and its ledger. `refused`: somebody has to change credentials,
 * rights or certificates, and the worker is of no use meanwhile. `restored`: the ledger lacks what a
 * run has recorded, so it is another one or an earlier state, and a person must say which counts.
 * `unreachable`: it is away for everybody, and comes back; to end or to restart workers would help
 * nobody.
 */
export interface Trouble {
  what: 'refused' | 'restored' | 'unreachable';
  since: Date;
  error: AgentOnceError;
}

const CAUSES: Partial<Record<ErrorCode, Trouble['what']>> = {
  'ledger.restored': 'restored',
  'ledger.unreachable': 'unreachable',
};

/** What a call of the ledger does: a user may have lost the right to write alone. */
export type CallKind = 'read' | 'write';

/**
 * After so long without a refusal of a write that is not looked for, nothing is known of it any more.
 * A step that was refused comes back sooner.
 */
const FORGOTTEN_MS = 30_000;

/** Keeps in mind whether the ledger takes this worker's calls, and says when it has refused for long. */
export class LedgerTrouble {
  readonly #limitMs: number | undefined;
  readonly #tell: { began(trouble: Trouble): void; ended(): void; tooLong(trouble: Trouble): void };
  #now: Trouble | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Of the present refusal: whether it was of a read too, when the last one was, and what came after. */
  #readsRefused = false;
  #refusedAt = 0;
  #readAfter = false;

  /**
   * @param limitMs for how long it may refuse; `undefined`: for ever
   * @param tell of a change
   */
  constructor(
    limitMs: number | undefined,
    tell: { began(trouble: Trouble): void; ended(): void; tooLong(trouble: Trouble): void },
  ) {
    this.#limitMs = limitMs;
    this.#tell = tell;
  }

  /** The trouble that the last call met; `undefined`: it was answered. */
  get now(): Trouble | undefined {
    return this.#now;
  }

  /**
   * Whether a claim is worth sending: nothing is refused; or reads are answered, and whether writes
   * are can be seen by a write alone.
   */
  get mayClaim(): boolean {
    return this.#now?.what !== 'refused' || this.#readAfter;
  }

  /**
   * A call was answered. What an earlier state lacks is not there again because it answers, nor is
   * the right to write because a read is answered.
   */
  answered(kind: CallKind): void {
    if (this.#now?.what === 'restored') return;
    if (this.#now?.what === 'refused' && kind === 'read' && !this.#readsRefused) {
      this.#readAfter = true;
      if (Date.now() - this.#refusedAt < FORGOTTEN_MS) return;
    }
    this.over();
  }

  over(): void {
    if (this.#now === undefined) return;
    clearTimeout(this.#timer);
    this.#now = undefined;
    this.#tell.ended();
  }

  /** An error that a call of the ledger ended with, whatever it is. */
  met(error: unknown, kind: CallKind): void {
    if (!(error instanceof AgentOnceError)) return;
    const what = isRefused(error.code) ? 'refused' : CAUSES[error.code];
    if (what === undefined) return;
    if (what === 'refused') this.#refused(kind);
    if (this.#now?.what === what) return;
    // It is away for a moment: what it lacks stays lacking.
    if (this.#now?.what === 'restored' && what === 'unreachable') return;
    clearTimeout(this.#timer);
    const trouble: Trouble = { what, since: new Date(), error };
    this.#now = trouble;
    this.#tell.began(trouble);
    if (what !== 'unreachable' && this.#limitMs !== undefined) {
      this.#timer = setTimeout(() => this.#tell.tooLong(trouble), this.#limitMs).unref();
    }
  }

  #refused(kind: CallKind): void {
    if (this.#now?.what !== 'refused') this.#readsRefused = false;
    if (kind === 'read') this.#readsRefused = true;
    this.#refusedAt = Date.now();
    this.#readAfter = false;
  }
}
