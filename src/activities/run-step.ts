import { Context } from '@temporalio/activity';
import pRetry from 'p-retry';
import { AgentOnceError, isErrorCode, type ErrorCode } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json-value.ts';
import type { StepPolicy } from '../contract/settings.ts';
import { SETTLED_SIGNAL } from '../contract/names.ts';
import type { KnownBy } from '../contract/step.ts';
import type { Transaction } from '../contract/transaction.ts';
import type {
  Claim,
  ClaimAnswer,
  Completion,
  Ledger,
  StepClaim,
  StepError,
  StepRecord,
  UnknownAttempt,
} from '../ledger/port.ts';
import { NotApplied } from '../tools/not-applied.ts';
import type { ActivityDeps } from './deps.ts';
import { backoffMs, failStep, isOwnTrouble, judge } from './failures.ts';
import { attemptTimes, CLAIM_LOST, isUndecided, Lease } from './lease.ts';

/** What a step's work gets once its claim is granted. */
export interface Granted {
  claim: Claim;
  /** Counts this execution's attempts, from 1. */
  attempt: number;
  /** Counts the step's attempts in all executions, from 1. */
  attempts: number;
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
  usage: { inputTokens: number; outputTokens: number; costUsd: number | null } | null;
  knownBy: KnownBy;
  /** See `Completion`; `null`: the step's own. */
  sharedWith: string | null;
  attempts: number;
  /** Attempts that ended without a recorded result. */
  unknownAttempts: number;
}

/** The work of a step, in the two ways in which its result can be recorded. */
export type StepWork = (
  | { kind: 'plain'; run(granted: Granted): Promise<Completion> }
  | { kind: 'transaction'; run(granted: Granted, tx: Transaction): Promise<Completion> }
) & {
  /** Asked first: where somebody else has done the work, nothing runs. */
  before?(granted: Granted): Promise<Completion | undefined>;
};

export interface StepPlan {
  /** Everything of the claim that the activity's own context does not know. */
  claim: Omit<
    StepClaim,
    'nonce' | 'leaseMs' | 'maximumAttempts' | 'workflowId' | 'runId' | 'worker'
  >;
  policy: StepPolicy;
  /** Name at the fault points: the tool's, or `model`. */
  faultName: string;
  /** Code of an error of the work that has none. */
  otherwise: ErrorCode;
}

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
 * Runs a step under its claim: claims it, works while the lease is kept, records the result and
 * returns what the ledger holds. A step that is already recorded does not run.
 *
 * @throws {OutcomeUnknown} `at-most-once` steps only
 * @throws {ApplicationFailure} retryable or not, as the table in `docs/architecture.md` says
 */
export async function runStep(
  deps: ActivityDeps,
  plan: StepPlan,
  work: StepWork,
): Promise<StepOutcome> {
  const { ledger, faults } = deps;
  const { policy, faultName } = plan;
  const context = Context.current();
  faults('before-claim', faultName, context.info.attempt);
  const times = attemptTimes(policy, context);
  // Nobody repeats such an attempt, so its own word is worth waiting for.
  const lease = new Lease(context, times, plan.claim.effect === 'at-most-once');
  try {
    const answer = await claimStep(deps, plan, times.leaseMs, context);
    if (answer.state === 'completed') return fromLedger(answer.record);
    lease.hold(ledger, answer.claim);
    return await workUnderClaim(deps, plan, work, answer, lease, context);
  } finally {
    lease.stop();
  }
}

async function workUnderClaim(
  deps: ActivityDeps,
  plan: StepPlan,
  work: StepWork,
  { claim, attempt, attempts, last, request, unknownAttempts }: GrantedAnswer,
  lease: Lease,
  context: Context,
): Promise<StepOutcome> {
  const { ledger, faults } = deps;
  const { policy, faultName, otherwise } = plan;
  const { step, effect } = plan.claim;
  let begun = false;
  faults('after-claim', faultName, attempt);
  const granted: Granted = {
    claim,
    attempt,
    attempts,
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
    const completion = await record(deps, granted, work, lease.limit);
    faults('after-record', faultName, attempt);
    if (completion === undefined) return await whatTheLedgerHolds(deps, claim, begun, lease.limit);
    faults('before-report', faultName, attempt);
    return {
      result: completion.result,
      resultBytes: null,
      usage: completion.usage ?? null,
      knownBy: completion.knownBy ?? 'executed',
      sharedWith: completion.sharedWith ?? null,
      attempts: attempt,
      unknownAttempts,
    };
  } catch (error) {
    // An error does not say that nothing happened, whatever it is of; only the tool's word does.
    const unknown = begun && effect === 'at-most-once' && !(error instanceof NotApplied);
    const verdict = judge(error, otherwise);
    if (unknown) await abandon(deps, claim, verdict, lease.limit);
    const giveBack = async (why: StepError, how?: { counted?: boolean; until?: AbortSignal }) => {
      if (unknown) return;
      const waited =
        effect === 'at-most-once' && (await isUndecided(ledger, claim).catch(() => false));
      const given = await release(ledger, claim, why, how);
      if (given && waited) await tellSettled(step);
      if (given === false && begun && effect === 'reconcile') {
        await noteLateEffect(deps, claim, lease.limit);
      }
    };
    if (context.cancellationSignal.aborted) {
      // Also when the worker stops or has lost touch with Temporal: then the step is not over, and
      // none of its attempts is used up.
      const cancelled = context.cancellationDetails?.cancelRequested === true;
      await giveBack(cancelled ? CANCELLED : INTERRUPTED, { counted: cancelled });
      await context.cancelled; // Throws: a cancellation stays one, whatever the work made of it.
    }
    if (unknown) {
      context.log.warn('The outcome of a step is unknown', { step, code: verdict.code, attempt });
      throw failStep({ ...verdict, retryable: true }, 1);
    }
    // Trouble of our own uses up nothing: the next claim says what became of the step.
    const ours = isOwnTrouble(verdict.code);
    // That nothing happened must reach the ledger, or a person is asked what the tool knew.
    const knows = begun && error instanceof NotApplied;
    await giveBack(verdict, {
      counted: !ours,
      ...(ours || knows ? { until: lease.limit } : {}),
    });
    context.log.warn('A step failed', { step, code: verdict.code, attempt, last });
    throw failStep(
      { ...verdict, retryable: verdict.retryable && (!last || ours) },
      backoffMs(policy.retry, attempt, verdict.retryAfterMs),
    );
  }
}

const CANCELLED: StepError = { code: 'step.cancelled', message: 'The run was cancelled.' };
const INTERRUPTED: StepError = {
  code: 'step.interrupted',
  message: 'The worker was stopped, or lost touch with Temporal, in the middle of the step.',
};

type GrantedAnswer = Extract<ClaimAnswer, { state: 'claimed' }>;
type CompletedAnswer = Extract<ClaimAnswer, { state: 'completed' }>;

/** Without it the lease runs out, and the outcome is just as unknown. */
async function abandon(
  deps: ActivityDeps,
  claim: Claim,
  { code, message }: StepError,
  until: AbortSignal,
): Promise<void> {
  const asking = untilAnswered(() => deps.ledger.abandon(claim, { code, message }), until);
  const ours = await asking.catch(() => undefined);
  // Somebody has had the last word, and has perhaps set the next attempt going.
  if (ours === false) await noteLateEffect(deps, claim, until);
}

/**
 * An attempt that had been given up may have had its effect after all, and another one too: that
 * cannot be undone, but it can be known.
 */
async function noteLateEffect(
  { ledger, worker }: ActivityDeps,
  { scope, step, fence }: Claim,
  until: AbortSignal,
): Promise<void> {
  const message = `An attempt on ${worker} that had been given up went on: its effect may have happened twice.`;
  try {
    const held = await untilAnswered(() => ledger.step(scope, step), until);
    // What a person said had happened, or what the next attempt found, is this attempt's own
    // effect, and no second one.
    const found = held?.knownBy === 'find' && Number(held.fence) === Number(fence) + 1;
    if (held?.state === 'completed' && (held.fence === fence || found)) return;
    const note = { code: 'step.late_effect', message };
    await untilAnswered(() => ledger.note(scope, step, note), until);
  } catch {
    Context.current().log.warn(message, { step });
  }
}

async function claimStep(
  deps: ActivityDeps,
  plan: StepPlan,
  leaseMs: number,
  context: Context,
): Promise<GrantedAnswer | CompletedAnswer> {
  const { workflowExecution, activityId } = context.info;
  const claim: StepClaim = {
    ...plan.claim,
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
    answer = await pRetry(() => deps.ledger.claim(claim), {
      retries: 2,
      minTimeout: 100,
      signal: context.cancellationSignal,
      shouldRetry: isUnreachable,
    });
  } catch (error) {
    if (context.cancellationSignal.aborted) await context.cancelled;
    throw failStep(judge(error, 'step.failed'));
  }

  switch (answer.state) {
    case 'claimed':
    case 'completed':
      return answer;
    case 'busy':
      throw failStep(
        {
          code: 'step.busy',
          message: `${answer.worker} holds the claim of this step.`,
          retryable: true,
        },
        answer.retryAfterMs + 50,
      );
    case 'unknown':
      throw new OutcomeUnknown(answer.attempt);
    case 'superseded':
      throw failStep({
        code: 'step.superseded',
        message:
          'The key of this run has expired or was forgotten, and a newer run has it. Nothing was done.',
        retryable: false,
      });
    case 'diverged':
      throw failStep({
        code: 'step.diverged',
        message:
          `The ledger holds another call as ${plan.claim.step} of this run: nothing was done. The run's ` +
          'history and the ledger have parted, which happens when one of them is restored from a backup.',
        retryable: false,
      });
    case 'exhausted':
      throw failStep({
        code: isErrorCode(answer.error?.code) ? answer.error.code : 'step.attempts_exhausted',
        message: `No attempt of ${answer.attempts} gave a result. The last said: ${answer.error?.message ?? 'nothing, its worker died'}`,
        retryable: false,
      });
  }
}

/** Does the work and records it; `undefined` when another attempt has taken the step over. */
async function record(
  { ledger }: ActivityDeps,
  granted: Granted,
  work: StepWork,
  limit: AbortSignal,
): Promise<Completion | undefined> {
  const { claim, signal } = granted;
  const given = await work.before?.(granted);
  if (given !== undefined) return recordResult(ledger, claim, given, limit);
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
  return recordResult(ledger, claim, completion, limit);
}

async function recordResult(
  ledger: Ledger,
  claim: Claim,
  completion: Completion,
  limit: AbortSignal,
): Promise<Completion | undefined> {
  // The effect has happened: its record must be written, whoever has cancelled or stopped what
  // meanwhile, and however long the database is away. Only the attempt's time ends this; then the
  // lease runs out.
  const recorded = await untilAnswered(() => ledger.complete(claim, completion), limit);
  if (recorded === 'settled') await tellSettled(claim.step);
  return recorded === 'lost' ? undefined : completion;
}

/** The run waits for a person who need not decide any more; if this fails, that person is told. */
async function tellSettled(step: string): Promise<void> {
  const { client, info, log } = Context.current();
  const workflowId = info.workflowExecution?.workflowId;
  if (workflowId === undefined) return;
  try {
    await client.workflow.getHandle(workflowId).signal(SETTLED_SIGNAL, step);
  } catch {
    log.warn('A late result could not be told to its run', { step });
  }
}

/** Asks the ledger until it answers; at least once. */
async function untilAnswered<T>(ask: () => Promise<T>, until: AbortSignal): Promise<T> {
  return pRetry(ask, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 100,
    maxTimeout: 2_000,
    shouldRetry: (context) => isUnreachable(context) && !until.aborted,
  });
}

function isUnreachable({ error }: { error: unknown }): boolean {
  return error instanceof AgentOnceError && error.code === 'ledger.unreachable';
}

async function whatTheLedgerHolds(
  deps: ActivityDeps,
  claim: Claim,
  begun: boolean,
  until: AbortSignal,
): Promise<StepOutcome> {
  const held = await untilAnswered(() => deps.ledger.step(claim.scope, claim.step), until);
  if (held?.state !== 'completed') throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
  if (begun) await noteLateEffect(deps, claim, until);
  return fromLedger(held);
}

/**
 * Gives the claim back, as far as that is possible: without it, the lease runs out.
 *
 * @returns `false` when the claim is no longer ours, `undefined` when the ledger did not answer
 */
async function release(
  ledger: Ledger,
  claim: Claim,
  { code, message }: StepError,
  { counted = true, until }: { counted?: boolean; until?: AbortSignal } = {},
): Promise<boolean | undefined> {
  const fail = () => ledger.fail(claim, { code, message }, counted);
  return (until ? untilAnswered(fail, until) : fail()).catch(() => undefined);
}

function fromLedger(record: StepRecord): StepOutcome {
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
  };
}
