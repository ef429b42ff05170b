import { Context } from '@temporalio/activity';
import pRetry from 'p-retry';
import { AgentOnceError, isErrorCode, type ErrorCode } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json-value.ts';
import type { StepPolicy } from '../contract/settings.ts';
import type { KnownBy } from '../contract/step.ts';
import type {
  Claim,
  Completion,
  Ledger,
  StepClaim,
  StepError,
  Transaction,
} from '../ledger/port.ts';
import type { ActivityDeps } from './deps.ts';
import { backoffMs, failStep, isOwnTrouble, judge } from './failures.ts';
import { CLAIM_LOST, keepLease } from './lease.ts';

/** What a step's work gets once its claim is granted. */
export interface Granted {
  claim: Claim;
  /** Counts this execution's attempts, from 1. */
  attempt: number;
  /** What the ledger holds as the step's request: a tool's arguments. */
  request: JsonValue | null;
  signal: AbortSignal;
  /** Passed right after the effect, before it is recorded. */
  afterEffect(): void;
}

export interface StepOutcome {
  result: JsonValue;
  resultBytes: number | null;
  usage: { inputTokens: number; outputTokens: number; costUsd: number | null } | null;
  knownBy: KnownBy;
  attempts: number;
  /** Attempts that ended without a recorded result. */
  unknownAttempts: number;
}

/** The work of a step, in the two ways in which its result can be recorded. */
export type StepWork =
  | { kind: 'plain'; run(granted: Granted): Promise<Completion> }
  | { kind: 'transaction'; run(granted: Granted, tx: Transaction): Promise<Completion> };

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

/**
 * Runs a step under its claim: claims it, works while the lease is kept, records the result and
 * returns what the ledger holds. A step that is already recorded does not run.
 *
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
  const answer = await claimStep(deps, plan, context);
  if (answer.state === 'completed') return fromLedger(answer.record);

  const { claim, attempt, last } = answer;
  faults('after-claim', faultName, attempt);
  const lease = keepLease(ledger, claim, context, policy.startToCloseMs);
  const granted: Granted = {
    claim,
    attempt,
    request: answer.request,
    signal: lease.signal,
    afterEffect: () => faults('after-effect', faultName, attempt),
  };
  try {
    const completion = await record(ledger, granted, work);
    faults('after-record', faultName, attempt);
    if (completion === undefined) return await whatTheLedgerHolds(ledger, claim);
    faults('before-report', faultName, attempt);
    return {
      result: completion.result,
      resultBytes: null,
      usage: completion.usage ?? null,
      knownBy: 'executed',
      attempts: attempt,
      unknownAttempts: answer.unknownAttempts,
    };
  } catch (error) {
    if (context.cancellationSignal.aborted) {
      await release(ledger, claim, { code: 'step.cancelled', message: 'The run was cancelled.' });
      await context.cancelled; // Throws: a cancellation stays one, whatever the work made of it.
    }
    const verdict = judge(error, plan.otherwise);
    await release(ledger, claim, { code: verdict.code, message: verdict.message });
    context.log.warn('A step failed', { step: plan.claim.step, code: verdict.code, attempt, last });
    // Trouble of our own uses up nothing: the next claim says what became of the step.
    const retryable = verdict.retryable && (!last || isOwnTrouble(verdict.code));
    throw failStep(
      { ...verdict, retryable },
      backoffMs(policy.retry, attempt, verdict.retryAfterMs),
    );
  } finally {
    lease.stop();
  }
}

async function claimStep(deps: ActivityDeps, plan: StepPlan, context: Context) {
  const { policy } = plan;
  const { workflowExecution, activityId } = context.info;
  const answer = await deps.ledger
    .claim({
      ...plan.claim,
      nonce: crypto.randomUUID(),
      leaseMs: policy.leaseMs,
      maximumAttempts: policy.retry.maximumAttempts,
      workflowId: workflowExecution?.workflowId ?? activityId,
      runId: workflowExecution?.runId ?? activityId,
      worker: deps.worker,
    })
    .catch((error: unknown) => {
      throw failStep(judge(error, 'step.failed'));
    });

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
  ledger: Ledger,
  granted: Granted,
  work: StepWork,
): Promise<Completion | undefined> {
  const { claim } = granted;
  if (work.kind === 'transaction') {
    let made: Completion | undefined;
    const ours = await ledger.transact(claim, async (tx) => {
      made = await work.run(granted, tx);
      granted.afterEffect();
      return made;
    });
    return ours ? made : undefined;
  }
  const completion = await work.run(granted);
  granted.afterEffect();
  // The effect has happened: its record must be written, however long the database is away. The
  // signal ends this when the attempt's time is over; then the lease runs out.
  const ours = await pRetry(() => ledger.complete(claim, completion), {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 100,
    maxTimeout: 2_000,
    signal: granted.signal,
    shouldRetry: ({ error }) =>
      error instanceof AgentOnceError && error.code === 'ledger.unreachable',
  });
  return ours ? completion : undefined;
}

async function whatTheLedgerHolds(ledger: Ledger, claim: Claim): Promise<StepOutcome> {
  const held = await ledger.step(claim.scope, claim.step);
  if (held?.state === 'completed') return fromLedger(held);
  throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
}

/** Gives the claim back, as far as that is possible: without it, the lease runs out. */
async function release(ledger: Ledger, claim: Claim, error: StepError): Promise<void> {
  await ledger.fail(claim, error).catch(() => {});
}

function fromLedger(record: {
  result: JsonValue | null;
  resultBytes: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: number | null;
  attempts: number;
  unknownAttempts: number;
}): StepOutcome {
  const { result, resultBytes, inputTokens, outputTokens, costUsd, attempts } = record;
  return {
    result,
    resultBytes,
    usage:
      inputTokens === null || outputTokens === null ? null : { inputTokens, outputTokens, costUsd },
    knownBy: 'ledger',
    attempts,
    unknownAttempts: record.unknownAttempts,
  };
}
