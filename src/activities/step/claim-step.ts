import type { Context } from '@temporalio/activity';
import { AgentOnceError, isErrorCode, type ErrorCode } from '../../contract/errors.ts';
import type { ClaimAnswer, StepClaim, StepError, UnknownAttempt } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { activityFailure, detailsOf, isOwnTrouble } from './failures.ts';
import { heldBefore, type Lease } from './lease.ts';
import { refusalOf } from './restored.ts';
import { askAgain, isUnreachable } from './until-answered.ts';
import type { GrantedAnswer, StepPlan } from './work.ts';

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
 * @throws {AgentOnceError} `step.superseded`, `step.diverged`; those of the ledger
 */
export async function claimStep(
  deps: ActivityDeps,
  plan: StepPlan,
  { leaseMs, ofWorker }: Pick<Lease, 'leaseMs' | 'ofWorker'>,
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
    lease: ofWorker,
    maximumAttempts: plan.policy.retry.maximumAttempts,
    workflowId: workflowExecution?.workflowId ?? activityId,
    runId: workflowExecution?.runId ?? activityId,
    activityId,
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
      return { ...answer, nonce: claim.nonce };
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
      throw new AgentOnceError(
        'step.superseded',
        'The key of this run has expired or was forgotten, and a newer run has it. Nothing was done.',
      );
    case 'diverged':
      throw new AgentOnceError(
        'step.diverged',
        `The ledger holds another call as ${plan.claim.step} of this run: nothing was done. Deploy code that ` +
          'makes the call that is recorded, or point LEDGER_URL at the ledger of this run; then resume it.',
      );
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

/**
 * Holds a `keyed` step of the fast lane to its `scheduleToCloseMs`, after which the other side need
 * not remember its token. Temporal counts the time of a local activity anew once its worker has
 * died; the ledger knows when the last attempt began. A resumed or reset run is another execution,
 * and may try again.
 *
 * @throws {AgentOnceError} `step.timed_out`
 */
export async function assertInTime(
  { ledger, transcripts }: ActivityDeps,
  { claim: { scope, step, turn, effect }, policy: { scheduleToCloseMs } }: StepPlan,
  { info: { isLocal, workflowExecution } }: Context,
): Promise<void> {
  if (!isLocal || effect !== 'keyed') return;
  // Whoever made an attempt before made it after that.
  const planned = transcripts.answeredAt(scope, turn);
  if (planned !== undefined && Date.now() - planned <= scheduleToCloseMs) return;
  const held = await ledger.step(scope, step);
  if (held?.state !== 'claimed' && held?.state !== 'failed') return;
  if (held.runId !== workflowExecution?.runId || held.claimedAt === null) return;
  if (Date.now() - Date.parse(held.claimedAt) <= scheduleToCloseMs) return;
  throw new AgentOnceError(
    'step.timed_out',
    `The last attempt of ${step} began at ${held.claimedAt}, and its time (${scheduleToCloseMs} ms) was over ` +
      'before a worker could make another. Whether the other side still knows its key is not certain. Find out whether it had its effect before you resume the run.',
  );
}
