import { CancelledFailure, Context, type ApplicationFailure } from '@temporalio/activity';
import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import { FAST_LANE } from '../../contract/settings.ts';
import {
  addUsage,
  usedAnything,
  type KnownBy,
  type StepFailureDetails,
  type StepUsage,
} from '../../contract/step.ts';
import type { Transaction } from '../../contract/transaction.ts';
import type { Claim, Completion, Ledger, RecordedStep, StepError } from '../../ledger/port.ts';
import { NotApplied } from '../../tools/not-applied.ts';
import { assertInTime } from './assert-in-time.ts';
import { claimStep, type GrantedAnswer, type StepPlan } from './claim-step.ts';
import type { ActivityDeps } from '../deps.ts';
import { backoffMs, failStep, isOwnTrouble, isRefused, judge, type Verdict } from './failures.ts';
import { abandon, noteLateEffect, release, tellSettled } from './give-back.ts';
import { attemptTimes, CLAIM_LOST, isUndecided, Lease } from './lease.ts';
import { LOST_FOR_GOOD, standsIn } from './restored.ts';
import { StepCode } from './step-code.ts';
import { untilAnswered } from './until-answered.ts';
import { UnusableAnswer } from './unusable-answer.ts';

/** What a step's work gets once its claim is granted. */
export interface Granted {
  claim: Claim;
  /** Counts this execution's attempts, from 1. */
  attempt: number;
  /** Counts the step's attempts in all executions, from 1. */
  attempts: number;
  /** See `StepRecord`. */
  round: number;
  /** What the ledger holds as the step's request: a tool's arguments. */
  request: JsonValue | null;
  signal: AbortSignal;
  /**
   * Called right before an effect that must not happen twice. Throws when another attempt has
   * taken the step over meanwhile; from here on, an error does not say that nothing happened.
   */
  beforeEffect(): Promise<void>;
  /** Passed right after the effect, before it is recorded. */
  afterEffect(): void;
}

export interface StepOutcome {
  result: JsonValue;
  resultBytes: number | null;
  /** Of all its answers; `null`: not known, or not of a kind that uses any. */
  usage: StepUsage | null;
  knownBy: KnownBy;
  /** See `Completion`; `null`: the step's own. */
  sharedWith: string | null;
  attempts: number;
  /** Attempts that ended without a recorded result. */
  unknownAttempts: number;
  /** Identity of the ledger that has the result. */
  ledger: string;
}

/** The work of a step, in the two ways in which its result can be recorded. */
export type StepWork = (
  | { kind: 'plain'; run(granted: Granted): Promise<Completion> }
  | { kind: 'transaction'; run(granted: Granted, tx: Transaction): Promise<Completion> }
) & {
  /** Asked first: where somebody else has done the work, nothing runs. */
  before?(granted: Granted): Promise<Completion | undefined>;
};

/**
 * Runs a step under its claim: claims it, works while the lease is kept, records the result and
 * returns what the ledger holds. A step that is already recorded does not run.
 *
 * @throws {OutcomeUnknown} (claim-step.ts) `at-most-once` steps only
 * @throws {ApplicationFailure} retryable or not, as the table in `docs/architecture.md` says
 */
export function runStep(deps: ActivityDeps, plan: StepPlan, work: StepWork): Promise<StepOutcome> {
  const code = new StepCode(plan.claim.step, plan.claim.effect);
  return code.run(() => attemptStep(deps, plan, watched(work, code), code));
}

/** The same work, that also ends when its code throws where nothing awaits it. */
function watched(work: StepWork, code: StepCode): StepWork {
  const { before } = work;
  const also = before && {
    before: (granted: Granted) => code.unlessStrayed(before(granted)),
  };
  return work.kind === 'transaction'
    ? {
        kind: 'transaction',
        ...also,
        run: (granted, tx) => code.unlessStrayed(work.run(granted, tx)),
      }
    : { kind: 'plain', ...also, run: (granted) => code.unlessStrayed(work.run(granted)) };
}

async function attemptStep(
  deps: ActivityDeps,
  plan: StepPlan,
  work: StepWork,
  code: StepCode,
): Promise<StepOutcome> {
  const { ledger, faults } = deps;
  const { policy, faultName } = plan;
  const context = Context.current();
  if (isStopped(deps, context)) throw interrupted();
  faults('before-claim', faultName, context.info.attempt);
  await assertInTime(deps, plan, context);
  const times = attemptTimes(policy, context);
  // Nobody repeats such an attempt, so its own word is worth waiting for.
  const lease = new Lease(context, times, deps.stopped, plan.claim.effect === 'at-most-once');
  code.onStray((error) => lease.fail(error));
  try {
    const answer = await claimStep(deps, plan, times.leaseMs, context);
    if (answer.state === 'completed') return fromLedger(answer.record, answer.ledger);
    const { claim, ledger: id } = answer;
    lease.hold(ledger, claim, { ledger: id, fence: claim.fence }, isRisky(plan));
    return await workUnderClaim(deps, plan, work, answer, lease, context);
  } finally {
    lease.stop();
  }
}

/** Whether a ledger that has lost the claim of an attempt would let its effect happen again. */
function isRisky({ claim: { effect } }: StepPlan): boolean {
  return effect === 'at-most-once' || effect === 'reconcile';
}

async function workUnderClaim(
  deps: ActivityDeps,
  plan: StepPlan,
  work: StepWork,
  answer: GrantedAnswer,
  lease: Lease,
  context: Context,
): Promise<StepOutcome> {
  const { claim, attempt, attempts, last, request, unknownAttempts, round, spent } = answer;
  const { ledger, faults } = deps;
  const { policy, faultName, otherwise } = plan;
  const { step, effect } = plan.claim;
  let begun = false;
  // Nobody but this attempt knows how a step at most once ended, or that it did not begin: worth any
  // wait. Any other one is repeated.
  const refusedForMs = effect === 'at-most-once' ? Number.POSITIVE_INFINITY : claim.leaseMs;
  faults('after-claim', faultName, attempt);
  const granted: Granted = {
    claim,
    attempt,
    attempts,
    round,
    request,
    signal: lease.signal,
    beforeEffect: async () => {
      lease.signal.throwIfAborted();
      const ours = await untilAnswered(() => ledger.renew(claim), lease.limit);
      if (!ours) throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
      begun = true;
    },
    afterEffect: () => faults('after-effect', faultName, attempt),
  };
  try {
    // The run may have been cancelled while the claim was on its way: nothing begins then.
    lease.signal.throwIfAborted();
    const completion = await record(deps, granted, work, lease.limit, refusedForMs);
    faults('after-record', faultName, attempt);
    if (completion === undefined) {
      const held = await whatTheLedgerHolds(deps, claim, begun, lease.limit);
      return fromLedger(held, answer.ledger);
    }
    faults('before-report', faultName, attempt);
    return {
      result: completion.result,
      resultBytes: null,
      usage: completion.usage || usedAnything(spent) ? addUsage(spent, completion.usage) : null,
      knownBy: completion.knownBy ?? 'executed',
      sharedWith: completion.sharedWith ?? null,
      attempts: attempt,
      unknownAttempts,
      ledger: answer.ledger,
    };
  } catch (error) {
    // An error does not say that nothing happened, whatever it is of; only the tool's word does.
    const acted = begun && !(error instanceof NotApplied) ? claim.fence : undefined;
    const unknown = acted !== undefined && effect === 'at-most-once';
    const judged = judge(error, otherwise);
    const verdict = await whereAccepted(deps, plan, judged);
    if (unknown) await abandon(deps, claim, verdict, lease.limit);
    // A whole answer was read and paid for, whatever else ends the attempt: that must be recorded.
    const paid = error instanceof UnusableAnswer;
    const answered = paid ? { answered: error.answered, until: lease.limit } : {};
    const used = paid ? addUsage(spent, error.answered.usage) : spent;
    const giveBack = async (why: StepError, how: { counted?: boolean; until?: AbortSignal }) => {
      if (unknown) return;
      const waited =
        effect === 'at-most-once' && (await isUndecided(ledger, claim).catch(() => false));
      const patience = paid || effect === 'at-most-once' ? { refusedForMs } : {};
      const given = await release(ledger, claim, why, { ...how, ...answered, ...patience });
      if (given && waited) await tellSettled(step);
      if (given === false && begun && effect === 'reconcile') {
        await noteLateEffect(deps, claim, lease.limit);
      }
    };
    const cancelled = context.cancellationDetails?.cancelRequested === true;
    // A worker that stops since nobody knows whose code threw: it may have been this step's.
    const suspected = deps.suspected();
    if (isStopped(deps, context)) {
      await giveBack(INTERRUPTED, { counted: suspected });
      throw interrupted();
    }
    // A worker that stops when an answer was read has used the attempt, as any other has.
    if (context.cancellationSignal.aborted && (!paid || cancelled)) {
      // Also when the worker stops or has lost touch with Temporal: then the step is not over, and
      // none of its attempts is used up.
      const counted = cancelled || suspected;
      await giveBack(paid ? verdict : cancelled ? CANCELLED : INTERRUPTED, { counted });
      if (cancelled && (usedAnything(used) || acted !== undefined)) {
        throw cancelledWith(used, acted);
      }
      await context.cancelled; // Throws: a cancellation stays one, whatever the work made of it.
    }
    if (unknown) {
      context.log.warn('The outcome of a step is unknown', { step, code: verdict.code, attempt });
      throw failStep({ ...verdict, retryable: true }, 1, undefined, acted);
    }
    // Trouble of our own uses up nothing: the next claim says what became of the step.
    const ours = isOwnTrouble(verdict.code) && verdict.retryable;
    // That nothing happened must reach the ledger, or a person is asked what the tool knew.
    const knows = begun && error instanceof NotApplied;
    await giveBack(verdict, {
      counted: !ours,
      ...(ours || knows ? { until: lease.limit } : {}),
    });
    context.log.debug('A step failed', { step, code: verdict.code, attempt, last });
    if (isRefused(verdict.code)) throw failStep(verdict, undefined, used);
    const wait = backoffMs(policy.retry, attempt, verdict.retryAfterMs);
    const inTime = waitInTime(verdict, wait, context);
    const retryable = inTime.retryable && (!last || ours);
    throw failStep({ ...inTime, retryable }, wait, used, acted);
  }
}

/** What is lost of a ledger that a person has accepted does not come back. */
async function whereAccepted(deps: ActivityDeps, plan: StepPlan, verdict: Verdict) {
  if (verdict.code !== 'ledger.restored') return verdict;
  const here = await deps.ledger.identity().catch(() => undefined);
  return here && standsIn(here, plan.claim.seen?.ledger) ? LOST_FOR_GOOD : verdict;
}

/**
 * Fails a step at once when the other side asks to wait for longer than its policy allows: Temporal
 * would end it without a word about that.
 */
function waitInTime(verdict: Verdict, waitMs: number, { info }: Context): Verdict {
  const left = info.scheduledTimestampMs + info.scheduleToCloseTimeoutMs - Date.now();
  if (!verdict.retryable || verdict.retryAfterMs === undefined || waitMs < left) return verdict;
  const minutes = Math.ceil(waitMs / 60_000);
  return {
    ...verdict,
    retryable: false,
    message: `${verdict.message} It asks to wait for about ${minutes} min, and the step has ${Math.max(0, Math.floor(left / 60_000))} min left (scheduleToCloseMs): resume the run when the wait is over.`,
  };
}

/** A cancellation that tells the run what the step has used, and perhaps done. */
function cancelledWith(usage: StepUsage, fence?: string): CancelledFailure {
  const details: StepFailureDetails = {
    ...(usedAnything(usage) ? { usage } : {}),
    ...(fence === undefined ? {} : { fence }),
  };
  return new CancelledFailure(CANCELLED.message, [details]);
}

/** A fast step of a worker that stops, and whose run is not cancelled. */
function isStopped({ stopped }: ActivityDeps, { info, cancellationSignal }: Context): boolean {
  return info.isLocal && stopped.aborted && !cancellationSignal.aborted;
}

/** The wait is a timer, after which another worker goes on: this one would try again itself. */
function interrupted(): ApplicationFailure {
  return failStep({ ...INTERRUPTED, retryable: true }, FAST_LANE.localRetryMs * 2);
}

const CANCELLED: StepError = { code: 'step.cancelled', message: 'The run was cancelled.' };
const INTERRUPTED = {
  code: 'step.interrupted',
  message: 'The worker was stopped, or lost touch with Temporal, in the middle of the step.',
} as const;

/** Does the work and records it; `undefined` when another attempt has taken the step over. */
async function record(
  { ledger }: ActivityDeps,
  granted: Granted,
  work: StepWork,
  limit: AbortSignal,
  refusedForMs: number,
): Promise<Completion | undefined> {
  const { claim, signal } = granted;
  const given = await work.before?.(granted);
  if (given !== undefined) return recordResult(ledger, claim, given, limit, refusedForMs);
  if (work.kind === 'transaction') {
    let made: Completion | undefined;
    const transacted = await ledger.transact(
      claim,
      async (tx) => {
        made = await work.run(granted, tx);
        granted.afterEffect();
        return made;
      },
      signal,
    );
    return transacted ? made : undefined;
  }
  const completion = await work.run(granted);
  granted.afterEffect();
  return recordResult(ledger, claim, completion, limit, refusedForMs);
}

async function recordResult(
  ledger: Ledger,
  claim: Claim,
  completion: Completion,
  limit: AbortSignal,
  refusedForMs: number,
): Promise<Completion | undefined> {
  // The effect has happened: its record must be written, whoever has cancelled or stopped what
  // meanwhile, and however long the database is away. Only the attempt's time ends this; then the
  // lease runs out. A worker that is refused leaves it to another one when its lease is over.
  const complete = () => ledger.complete(claim, completion);
  const recorded = await untilAnswered(complete, limit, refusedForMs);
  if (recorded === 'settled') await tellSettled(claim.step);
  return recorded === 'lost' ? undefined : completion;
}

async function whatTheLedgerHolds(
  deps: ActivityDeps,
  claim: Claim,
  begun: boolean,
  until: AbortSignal,
): Promise<RecordedStep> {
  const held = await untilAnswered(() => deps.ledger.step(claim.scope, claim.step), until);
  if (held?.state !== 'completed') throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
  if (begun) await noteLateEffect(deps, claim, until);
  return held;
}

function fromLedger(record: RecordedStep, ledger: string): StepOutcome {
  const { result, resultBytes, inputTokens, outputTokens, costUsd, attempts } = record;
  return {
    result,
    resultBytes,
    usage:
      inputTokens === null || outputTokens === null ? null : { inputTokens, outputTokens, costUsd },
    knownBy: record.knownBy ?? 'ledger',
    sharedWith: record.sharedWith,
    attempts,
    unknownAttempts: record.unknownAttempts,
    ledger,
  };
}
