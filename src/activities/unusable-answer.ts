import type { StepUsage } from '../contract/step.ts';
import type { UnusableRound } from '../ledger/port.ts';
import type { ModelError } from '../model/port.ts';
import type { Verdict } from './failures.ts';

/**
 * A whole answer to a model step that nothing can be done with: it was paid for, and the request
 * that it answers is over.
 */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
  readonly verdict: Verdict;
  readonly answered: UnusableRound;

  /** @param round of the request that was answered */
  constructor(error: ModelError, round: number, usage: StepUsage | null) {
    super(error.message);
    const { code, message, retryable, retryAfterMs } = error;
    const { rounds = Number.POSITIVE_INFINITY } = error;
    // Each answer is paid for: a mistake of ours is not repeated as often as the policy would.
    this.verdict = { code, message, retryable: retryable && round + 1 < rounds, retryAfterMs };
    this.answered = { round, usage };
  }
}
