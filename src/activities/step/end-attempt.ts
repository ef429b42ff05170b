import { CancelledFailure, Context, type ApplicationFailure } from '@temporalio/activity';
import { defined } from '../../contract/defined.ts';
import { isElsewhere } from '../../contract/errors.ts';
import { FAST_LANE } from '../../contract/settings.ts';
import { addUsage, type StepFailureDetails } from '../../contract/step.ts';
import type { StepError } from '../../ledger/port.ts';
import { endOf, isOutcomeUnknown, type Thrown } from './attempt-end.ts';
import {
  activityFailure,
  AskingFailed,
  backoffMs,
  detailsOf,
  failureOf,
  thrownKind,
  type Failure,
} from './failures.ts';
import { haltOf } from './halt.ts';
import { isHeldUnknown } from './lease.ts';
import { noteLateEffect, tellSettled } from './record.ts';
import { LOST_FOR_GOOD, standsIn } from './restored.ts';
import { tellFailed } from './tell-failed.ts';
import { refusedForMs, untilAnswered } from './until-answered.ts';
import type { Running } from './work.ts';

const CANCELLED: StepError = { code: 'step.cancelled', message: 'The run was cancelled.' };
const INTERRUPTED: Failure = {
  code: 'step.interrupted',
  message: 'The worker was stopped, or lost touch with Temporal, in the middle of the step.',
  retryable: true,
};

/** Ends an attempt that threw as `attempt-end.ts` says: writes to the ledger, and throws. */
export async function endAttempt(running: Running, begun: boolean, error: unknown): Promise<never> {
  const context = Context.current();
  const { deps, plan, answer, limit } = running;
  const { claim, attempt, last, spent } = answer;
  const { ledger } = deps;
  const { step, effect } = plan.claim;
  const failure = await whereAccepted(running, failureOf(error, plan.defaultCode));
  const thrown = thrownKind(error, failure);
  const again = failure.retryable && !last;
  const { answered, asking } = error instanceof AskingFailed ? error : {};

  const unknown = isOutcomeUnknown({ effect, begun, thrown });
  if (unknown) await endUnknown(running, failure);
  // Asked only now: while that was written, the run may have been cancelled.
  const halted = haltOf(deps, context);
  const suspected = deps.suspected();
  const end = endOf({ effect, begun, thrown, again, halted, suspected });

  if (end.written.as === 'failed') {
    const { error: which, counted, ask } = end.written;
    const why = { thrown: failure, cancelled: CANCELLED, interrupted: INTERRUPTED }[which];
    // Trouble that lasts says the same at each attempt.
    const once = which === 'thrown' && !counted && !answered && !asking;
    const how = { counted, once, ...defined({ answered, asking }) };
    const { code, message, mayBePaid } = why;
    const fail = () => ledger.fail(claim, { code, message, ...defined({ mayBePaid }) }, how);
    const wasUnknown =
      effect === 'at-most-once' && (await isHeldUnknown(ledger, claim).catch(() => false));
    const patience = ask === 'until-accepted' ? refusedForMs(plan, claim) : 0;
    // A worker that stops has to end.
    const until = halted === 'let-go' ? AbortSignal.any([limit, deps.stopped]) : limit;
    const writing = ask === 'once' ? fail() : untilAnswered(fail, until, patience);
    const ours = await writing.catch(() => undefined);
    if (ours && wasUnknown) await tellSettled(step);
    if (ours === false && begun && effect === 'reconcile') await noteLateEffect(running);
  }

  const used = answered ? addUsage(spent, answered.usage) : spent;
  const details = detailsOf(used, end.mayHaveActed ? claim.fence : undefined);
  switch (end.thrown.as) {
    case 'cancelled':
      if (details) throw new CancelledFailure(CANCELLED.message, [details]);
      return context.cancelled;
    case 'let-go':
      return context.cancelled;
    case 'interrupted':
      throw interrupted(details);
    case 'thrown': {
      const left = failureThatLeaves(running, failure, end.thrown, details);
      const forGood = left.nonRetryable === true && !isForAnotherWorker(failure);
      tellFailed(left, error, { step, attempt }, unknown ? 'unknown' : forGood);
      throw left;
    }
  }
}

/** What Temporal is told of an attempt that threw. */
function failureThatLeaves(
  { plan, answer }: Running,
  failure: Failure,
  { retryable, wait }: Extract<Thrown, { as: 'thrown' }>,
  details: StepFailureDetails | undefined,
): ApplicationFailure {
  if (wait === 'none') return activityFailure({ ...failure, retryable }, details, 1);
  if (wait === 'until-mended') {
    return activityFailure({ ...failure, retryable: !isForAnotherWorker(failure) }, details);
  }
  const waitMs = backoffMs(plan.policy.retry, answer.attempt, failure.retryAfterMs);
  const inTime = waitInTime(failure, waitMs, Context.current());
  return activityFailure({ ...inTime, retryable: retryable && inTime.retryable }, details, waitMs);
}

/** Whether the workflow asks again in the standard lane, where any worker can take the step. */
function isForAnotherWorker({ code }: Failure): boolean {
  return Context.current().info.isLocal && isElsewhere(code);
}

/** The wait is a timer, after which another worker goes on: this one would try again itself. */
export function interrupted(details?: StepFailureDetails): ApplicationFailure {
  return activityFailure(INTERRUPTED, details, FAST_LANE.localRetryMs * 2);
}

/** Says that an attempt's outcome is unknown. Without it the lease runs out, and it is just as unknown. */
async function endUnknown(running: Running, { code, message }: StepError): Promise<void> {
  const { deps, answer, limit } = running;
  const asking = untilAnswered(
    () => deps.ledger.endUnknown(answer.claim, { code, message }),
    limit,
  );
  const ours = await asking.catch(() => undefined);
  // Somebody has had the last word, and has perhaps set the next attempt going.
  if (ours === false) await noteLateEffect(running);
}

/** What is lost of a ledger that a person has accepted does not come back. */
async function whereAccepted({ deps, plan }: Running, failure: Failure): Promise<Failure> {
  if (failure.code !== 'ledger.restored') return failure;
  const here = await deps.ledger.identity().catch(() => undefined);
  return here && standsIn(here, plan.claim.seen?.ledger) ? LOST_FOR_GOOD : failure;
}

/**
 * Fails a step at once when the other side asks to wait for longer than its policy allows: Temporal
 * would end it without a word about that.
 */
function waitInTime(failure: Failure, waitMs: number, { info }: Context): Failure {
  const left = info.scheduledTimestampMs + info.scheduleToCloseTimeoutMs - Date.now();
  if (!failure.retryable || failure.retryAfterMs === undefined || waitMs < left) return failure;
  const minutes = Math.ceil(waitMs / 60_000);
  return {
    ...failure,
    retryable: false,
    message: `${failure.message} It asks to wait for about ${minutes} min, and the step has ${Math.max(0, Math.floor(left / 60_000))} min left (scheduleToCloseMs): resume the run when the wait is over.`,
  };
}
