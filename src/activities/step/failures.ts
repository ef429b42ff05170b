import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Asking } from '../../contract/asking.ts';
import { AgentOnceError, type ErrorCode } from '../../contract/errors.ts';
import { withoutLedgerAddress } from '../../contract/ledger-address.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { RetryPolicy } from '../../contract/settings.ts';
import { usedAnything, type StepFailureDetails, type StepUsage } from '../../contract/step.ts';
import type { StepError, UnusableRound } from '../../ledger/port.ts';
import { ModelError } from '../../model/port.ts';
import { NotApplied } from '../../define/not-applied.ts';
import type { Attempt } from './attempt-end.ts';
import { describeThrown, StrayError } from './step-code.ts';

/**
 * This worker lacks what the step needs, or the ledger refuses it; another one, or the same with other
 * settings, may do it.
 */
const REFUSED: readonly ErrorCode[] = ['ledger.invalid', 'model.unknown_endpoint', 'model.no_key'];
const OWN_TROUBLE: readonly ErrorCode[] = [
  ...REFUSED,
  'ledger.unreachable',
  'ledger.restored',
  'payload.unreadable',
  'step.busy',
  'step.claim_lost',
];
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** What ended an attempt, as the ledger keeps it and Temporal is told. */
export interface Failure extends StepError {
  code: ErrorCode;
  retryable: boolean;
  /** What the other side asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** How an attempt of a model step ended without an answer to go on with. */
export class AskingFailed extends Error {
  override readonly name = 'AskingFailed';
  readonly failure: Failure;
  /**
   * A whole answer came that nothing can be done with: it was paid for, and the request that it answers
   * is over.
   */
  readonly answered: UnusableRound | undefined;
  /** What the next attempt must know. */
  readonly asking: Asking | undefined;
  /** The next attempt asks another endpoint; that this one refused uses up nothing. */
  readonly moves: boolean;

  constructor({
    failure,
    answered,
    asking,
    moves,
  }: Pick<AskingFailed, 'failure' | 'answered' | 'asking' | 'moves'>) {
    super(failure.message);
    this.failure = failure;
    this.answered = answered;
    this.asking = asking;
    this.moves = moves;
  }
}

/** Reads an error that a step's own work threw; `defaultCode` is for one that has none. */
export function failureOf(error: unknown, defaultCode: ErrorCode): Failure {
  try {
    return read(error, defaultCode);
  } catch {
    // A tool may throw anything, also what throws when it is looked at.
    return { code: defaultCode, message: cut(describeThrown(error)), retryable: true };
  }
}

function read(error: unknown, defaultCode: ErrorCode): Failure {
  if (error instanceof AskingFailed) return { ...error.failure, message: cut(error.message) };
  if (error instanceof ModelError) {
    const { code, message, retryable, retryAfterMs } = error;
    return { code, message: cut(message), retryable, retryAfterMs };
  }
  if (error instanceof AgentOnceError) {
    const { code, message } = error;
    return { code, message: cut(withoutLedgerAddress(message)), retryable: isOwnTrouble(code) };
  }
  if (error instanceof ApplicationFailure) {
    return { code: defaultCode, message: cut(error.message), retryable: !error.nonRetryable };
  }
  const late = error instanceof Error && error.name === 'TimeoutError';
  const message = cut(error instanceof StrayError ? error.message : describeThrown(error));
  return { code: late ? 'step.timed_out' : defaultCode, message, retryable: true };
}

/** The kind of an error, as far as the end of its attempt depends on it. */
export function thrownKind(error: unknown, { code, retryable }: Failure): Attempt['thrown'] {
  if (error instanceof NotApplied) return 'not-applied';
  if (code === 'model.pending') return 'pending';
  if (error instanceof AskingFailed) {
    // A refusal costs nothing, also where it came with status 200 and ends its round.
    return error.moves ? 'own-trouble' : error.answered ? 'unusable-answer' : 'other';
  }
  if (!retryable || !isOwnTrouble(code)) return 'other';
  return isRefused(code) ? 'refused' : 'own-trouble';
}

/**
 * Trouble with the claim or with this worker's surroundings rather than with the work: never a run's
 * result. Another attempt, perhaps on another worker, finds out how it ended.
 */
export function isOwnTrouble(code: ErrorCode): boolean {
  return OWN_TROUBLE.includes(code);
}

/** Whether somebody has to change what this worker was given before it can work again. */
export function isRefused(code: ErrorCode): boolean {
  return REFUSED.includes(code);
}

/**
 * The failure that leaves an activity: a code as its type, a short message, no cause and no stack
 * of others. A message of megabytes would hang the attempt until its timeout.
 *
 * @param nextRetryDelayMs default: the policy's; where the ledger refuses this worker, lacks the run's
 *   records or is not readable to it, a wait that grows, so that a worker which fails at once does not take each step that
 *   another could do
 */
export function activityFailure(
  failure: Failure,
  details?: StepFailureDetails,
  nextRetryDelayMs = untilMendedMs(failure),
): ApplicationFailure {
  return ApplicationFailure.create({
    type: failure.code,
    message: cut(failure.message),
    nonRetryable: !failure.retryable,
    ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: nextRetryDelayMs }),
    ...(details && { details: [details] }),
  });
}

/**
 * What a run is told about a step that failed, if there is anything.
 *
 * @param fence of an attempt that may have had its effect: for the run that resumes this one
 */
export function detailsOf(used: StepUsage, fence?: string): StepFailureDetails | undefined {
  if (!usedAnything(used)) return fence === undefined ? undefined : { fence };
  return { usage: used, ...(fence === undefined ? {} : { fence }) };
}

function untilMendedMs({ code, retryable }: Failure): number | undefined {
  const lasts = isRefused(code) || ['ledger.restored', 'payload.unreadable'].includes(code);
  if (!retryable || !lasts) return undefined;
  // By Temporal's count of attempts: the ledger counts none of these.
  const { attempt } = Context.current().info;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_WAIT_MS);
  return Math.ceil(wait * (1 + Math.random() * 0.2));
}

/**
 * Waiting time before the next attempt, in milliseconds: what the other side asked for, else
 * exponential with up to 20 % of jitter. From the ledger's count of attempts, since Temporal's
 * also counts those that only waited for a lease.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, retryAfterMs?: number): number {
  if (retryAfterMs !== undefined) return Math.max(1, Math.ceil(retryAfterMs));
  const exponential = policy.initialIntervalMs * policy.backoffCoefficient ** (attempt - 1);
  return Math.ceil(Math.min(exponential, policy.maximumIntervalMs) * (1 + Math.random() * 0.2));
}

/**
 * A message as it may leave an activity: not long, and well-formed. Half of a surrogate pair, as
 * services leave that cut texts, cannot be encoded: the worker would fail, and each one after it.
 */
function cut(given: string): string {
  // Whoever throws has no compiler that says what a message is.
  const message = String(given);
  const max = LIMITS.errorBytes / 2;
  const short = message.length <= max ? message : `${message.slice(0, max)} … (cut)`;
  return short.toWellFormed();
}
