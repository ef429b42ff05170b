import type { Context } from '@temporalio/activity';
import { isErrorCode, type ErrorCode } from '../../contract/errors.ts';
import type { ClaimAnswer, StepClaim, StepError, UnknownAttempt } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { activityFailure, detailsOf, isOwnTrouble } from './failures.ts';
import { heldBefore } from './lease.ts';
import { refusalOf } from './restored.ts';
import { askAgain, isUnreachable } from './until-answered.ts';
import type { StepPlan } from './work.ts';

export type GrantedAnswer = Extract<ClaimAnswer, { state: 'claimed' }>;
type CompletedAnswer = Extract<ClaimAnswer, { state: 'completed' }>;

/** An attempt of an `at-most-once` step ended, and only a person may say how. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
  readonly attempt: UnknownAttempt;

  constructor(attempt: UnknownAttempt) {
    super('The outcome of the step is unknown.');
    this.attempt = attempt;
  }
}

/**
 * Claims a step for an attempt.
 *
 * @throws {OutcomeUnknown} `at-most-once` steps only
 * @throws {ApplicationFailure} retryable while another attempt holds the claim
 * @throws {AgentOnceError} of the ledger
 */
export async function claimStep(
  deps: ActivityDeps,
  plan: StepPlan,
  leaseMs: number,
  context: Context,
): Promise<GrantedAnswer | CompletedAnswer> {
  const { workflowExecution, activityId } = context.info;
  const seen = { ...plan.claim.seen, ...heldBefore(context) };
  const claim: StepClaim = {
    ...plan.claim,
    seen,
    // One for all tries: a claim whose answer was lost is found again by it.
    nonce: crypto.randomUUID(),
    leaseMs,
    maximumAttempts: plan.policy.retry.maximumAttempts,
    workflowId: workflowExecution?.workflowId ?? activityId,
    runId: workflowExecution?.runId ?? activityId,
    worker: deps.worker,
  };
  let answer: ClaimAnswer;
  try {
    answer = await askAgain(() => deps.ledger.claim(claim), {
      retries: 2,
      minTimeout: 100,
      signal: context.cancellationSignal,
      shouldRetry: isUnreachable,
    });
  } catch (error) {
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw error;
  }

  switch (answer.state) {
    case 'claimed':
    case 'completed':
      return answer;
    case 'restored':
      throw activityFailure(refusalOf(answer, seen.ledger));
    case 'busy':
      // Otherwise the attempt after this one may not hear of it.
      if (context.cancellationSignal.aborted) await context.cancelled;
      throw activityFailure(
        {
          code: 'step.busy',
          message: `${answer.worker} holds the claim of this step.`,
          retryable: true,
        },
        undefined,
        answer.retryAfterMs + 50,
      );
    case 'unknown':
      throw new OutcomeUnknown(answer.attempt);
    case 'superseded':
      throw activityFailure({
        code: 'step.superseded',
        message:
          'The key of this run has expired or was forgotten, and a newer run has it. Nothing was done.',
        retryable: false,
      });
    case 'diverged':
      throw activityFailure({
        code: 'step.diverged',
        message:
          `The ledger holds another call as ${plan.claim.step} of this run: nothing was done. Deploy code that ` +
          'makes the call that is recorded, or point LEDGER_URL at the ledger of this run; then resume it.',
        retryable: false,
      });
    case 'exhausted':
      throw activityFailure(
        {
          code: codeOf(answer.error),
          message: `No attempt of ${answer.attempts} gave a result. The last said: ${answer.error?.message ?? 'nothing, its worker died'}`,
          retryable: false,
        },
        detailsOf(answer.spent),
      );
  }
}

/** Of the last attempt's error; trouble of a worker's own is no reason for a run to fail. */
function codeOf(error: StepError | null): ErrorCode {
  return isErrorCode(error?.code) && !isOwnTrouble(error.code)
    ? error.code
    : 'step.attempts_exhausted';
}
