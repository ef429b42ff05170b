import type { Logger } from '@temporalio/worker';
import { isRefused } from '../activities/step/failures.ts';
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

/** What a call of the ledger does: a user may have lost the right to write alone, a standby only reads. */
export type CallKind = 'read' | 'write';

/**
 * After so long without another write that failed, nothing is known of it any more: nobody looks for
 * it. A step that failed by it comes back sooner.
 */
const FORGOTTEN_MS = 30_000;

const BEGAN: Record<Trouble['what'], string> = {
  refused: 'The ledger refuses this worker, which is not healthy now',
  restored: 'The ledger lacks what a run has recorded, and this worker is not healthy now',
  unreachable: 'The ledger does not answer',
};

/** Keeps in mind whether the ledger takes this worker's calls, and ends the worker that it does not. */
export class LedgerTrouble {
  readonly #limitMs: number | undefined;
  readonly #log: Logger;
  readonly #leave: (why: AgentOnceError) => void;
  #now: Trouble | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Of the present trouble: whether reads met it too, when the last call did, and what came after. */
  #readsToo = false;
  #metAt = 0;
  #readAfter = false;

  /**
   * @param limitMs for how long it may refuse; `undefined`: for ever
   * @param leave called with `worker.refused` when it has refused for longer
   */
  constructor(limitMs: number | undefined, log: Logger, leave: (why: AgentOnceError) => void) {
    this.#limitMs = limitMs;
    this.#log = log;
    this.#leave = leave;
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
   * A call was answered. What an earlier state lacks is not there again because it answers, nor does
   * the ledger take writes again because a read is answered.
   */
  answered(kind: CallKind): void {
    if (this.#now === undefined || this.#now.what === 'restored') return;
    if (kind === 'read' && !this.#readsToo) {
      this.#readAfter = true;
      if (Date.now() - this.#metAt < FORGOTTEN_MS) return;
    }
    this.over();
  }

  over(): void {
    if (this.#now === undefined) return;
    clearTimeout(this.#timer);
    this.#now = undefined;
    this.#log.info('The ledger takes the calls of this worker again');
  }

  /** An error that a call of the ledger ended with, whatever it is. */
  met(error: unknown, kind: CallKind): void {
    if (!(error instanceof AgentOnceError)) return;
    const what = isRefused(error.code) ? 'refused' : CAUSES[error.code];
    if (what === undefined) return;
    // It is away for a moment: what it lacks stays lacking.
    if (this.#now?.what === 'restored' && what === 'unreachable') return;
    const known = this.#now?.what === what;
    this.#readsToo = (known && this.#readsToo) || kind === 'read';
    this.#metAt = Date.now();
    this.#readAfter = false;
    if (known) return;
    clearTimeout(this.#timer);
    const trouble: Trouble = { what, since: new Date(), error };
    this.#now = trouble;
    this.#log.error(BEGAN[what], { error });
    if (what !== 'unreachable' && this.#limitMs !== undefined) {
      this.#timer = setTimeout(() => this.#leave(refusedTooLong(trouble)), this.#limitMs).unref();
    }
  }
}

function refusedTooLong({ what, since, error }: Trouble): AgentOnceError {
  const [met, mend] =
    what === 'restored'
      ? ['lacked what runs have recorded', 'Start the worker again once that is mended.']
      : [
          'refused this worker',
          'Start the worker again with the credentials, rights and certificates that hold now.',
        ];
  return new AgentOnceError(
    'worker.refused',
    `The ledger has ${met} since ${since.toISOString()}, and the worker ends. It said: ${error.message} ` +
      `Steps under way were given time to end, and are tried again; no run fails by this. ${mend} AGENT_ONCE_REFUSED_LIMIT says how long it waits for that.`,
    { cause: error },
  );
}
