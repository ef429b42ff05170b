import type { ClaimAnswer, Ledger, LedgerIdentity } from '../../ledger/port.ts';
import type { Failure } from './failures.ts';

export type RestoredAnswer = Extract<ClaimAnswer, { state: 'restored' }>;

/** Of a restore that somebody has accepted, by a run that cannot go on without what it has lost. */
export const LOST_FOR_GOOD: Failure = {
  code: 'ledger.restored',
  message:
    'The ledger was restored to an earlier state, which was accepted, and lacks records that this run needs to go on. Nothing was done. Resume the run: it asks the model again for what is lost, and a person before it repeats an effect that may have happened.',
  retryable: false,
};

/**
 * Whether a person has said that the ledger stands in for the one that a run has its records in.
 *
 * @param seen identity of that one; absent: the run is of a version that did not know it
 */
export function standsIn({ standsInFor }: LedgerIdentity, seen: string | undefined): boolean {
  return seen === undefined ? standsInFor.length > 0 : standsInFor.includes(seen);
}

/**
 * Whether a question of a run may be asked and answered here, before anything is written: claims
 * check this themselves.
 *
 * @param seen see `standsIn`
 * @returns why not, as a claim is answered
 */
export async function whyNotAsked(
  ledger: Ledger,
  seen?: string,
): Promise<RestoredAnswer | undefined> {
  const here = await ledger.identity();
  const { id, closedAt } = here;
  const refusal = { state: 'restored', ledger: id, accepted: false } as const;
  if (closedAt !== null) return { ...refusal, lacks: 'claims' };
  if (seen === undefined || seen === id || standsIn(here, seen)) return undefined;
  return { ...refusal, lacks: 'all' };
}

const TRIED_AGAIN = 'Nothing was done, and the step is tried again.';

/** Why a claim was refused by a ledger that lacks what the run has seen in it, and what helps. */
export function refusalOf({ lacks, ledger, accepted }: RestoredAnswer, seen?: string): Failure {
  if (accepted) return LOST_FOR_GOOD;
  return { code: 'ledger.restored', message: messageOf(lacks, ledger, seen), retryable: true };
}

function messageOf(lacks: RestoredAnswer['lacks'], ledger: string, seen = 'another one'): string {
  switch (lacks) {
    case 'all':
      return `LEDGER_URL names the ledger ${ledger}, and this run has its records in ${seen}. ${TRIED_AGAIN} Point LEDGER_URL at that one; if it is lost for good, run "agent-once ledger accept-restore --lost ${seen}".`;
    case 'claims':
      return `The ledger ${ledger} was closed when its runs moved to a copy. ${TRIED_AGAIN} Point LEDGER_URL at the copy.`;
    case 'records':
      return `The ledger ${ledger} lacks what this run has recorded in it: an earlier state of it was restored. ${TRIED_AGAIN} Point LEDGER_URL at the ledger that has all; if there is none, run "agent-once ledger accept-restore".`;
  }
}
