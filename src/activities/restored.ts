import type { ClaimAnswer } from '../ledger/port.ts';
import type { Verdict } from './failures.ts';

type RestoredAnswer = Extract<ClaimAnswer, { state: 'restored' }>;

/** Of a restore that somebody has accepted, by a run that cannot go on without what it has lost. */
export const LOST_FOR_GOOD: Verdict = {
  code: 'ledger.restored',
  message:
    'The ledger was restored to an earlier state, which was accepted, and lacks records that this run needs to go on. Nothing was done. Resume the run: it asks the model again for what is lost, and a person before it repeats an effect that may have happened.',
  retryable: false,
};

const TRIED_AGAIN = 'Nothing was done, and the step is tried again.';

/** Why a claim was refused by a ledger that lacks what the run has seen in it, and what helps. */
export function refusalOf({ lacks, ledger, accepted }: RestoredAnswer, seen?: string): Verdict {
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
