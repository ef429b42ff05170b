import type { UnusableRound } from '../../ledger/port.ts';
import type { ModelError } from '../../model/port.ts';
import type { Failure } from './failures.ts';

/**
 * A whole answer to a model step that nothing can be done with: it was paid for, and the request
 * that it answers is over.
 */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
  readonly failure: Failure;
  readonly answered: UnusableRound;

  /**
   * @param request `round`: that of the request that was answered; `before`: unusable answers that
   *   count as earlier ones; `usage`: what this answer used, `null` where that is not known
   */
  constructor(error: ModelError, { round, before, usage }: UnusableRound & { before: number }) {
    super(error.message);
    const { code, message, retryable, retryAfterMs } = error;
    const { rounds = Number.POSITIVE_INFINITY } = error;
    // Each answer is paid for, so the policy's attempts are too many.
    this.failure = { code, message, retryable: retryable && before + 1 < rounds, retryAfterMs };
    this.answered = { round, usage };
  }
}
