import { ApplicationFailure } from '@temporalio/activity';
import { AgentOnceError, type ErrorCode } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { RetryPolicy } from '../contract/settings.ts';
import { usedAnything, type StepFailureDetails, type StepUsage } from '../contract/step.ts';
import type { StepError } from '../ledger/port.ts';
import { ModelError } from '../model/port.ts';
import { UnusableAnswer } from './unusable-answer.ts';

/** What is to be done about an error that ended an attempt. */
export interface Verdict extends StepError {
  code: ErrorCode;
  retryable: boolean;
  /** What the other side asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** Reads an error that a step's own work threw; `otherwise` is the code of one that has none. */
export function judge(error: unknown, otherwise: ErrorCode): Verdict {
  if (error instanceof UnusableAnswer) return error.verdict;
  if (error instanceof ModelError) {
    const { code, message, retryable, retryAfterMs } = error;
    return { code, message: cut(message), retryable, retryAfterMs };
  }
  if (error instanceof AgentOnceError) {
    const { code, message } = error;
    return { code, message: cut(message), retryable: isOwnTrouble(code) };
  }
  if (error instanceof ApplicationFailure) {
    return { code: otherwise, message: cut(error.message), retryable: !error.nonRetryable };
  }
  const code = nameOf(error) === 'TimeoutError' ? 'step.timed_out' : otherwise;
  return { code, message: cut(textOf(error)), retryable: true };
}

/** A tool may throw anything, also what throws when it is looked at. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return 'It threw something that cannot be shown.';
  }
}

function nameOf(error: unknown): unknown {
  return error instanceof Error ? error.name : undefined;
}

const OWN_TROUBLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ledger.unreachable',
  'ledger.restored',
  'step.busy',
  'step.claim_lost',
]);

/** Trouble with the claim rather than with the work: another attempt finds out how it ended. */
export function isOwnTrouble(code: ErrorCode): boolean {
  return OWN_TROUBLE.has(code);
}

/**
 * The failure that leaves an activity: a code as its type, a short message, no cause and no stack
 * of others. A message of megabytes would hang the attempt until its timeout.
 *
 * @param spent what the step has used though it failed: for the run's own account
 * @param fence of an attempt that may have had its effect: for the run that resumes this one
 */
export function failStep(
  verdict: Verdict,
  nextRetryDelayMs?: number,
  spent?: StepUsage,
  fence?: string,
): ApplicationFailure {
  const details: StepFailureDetails = {
    ...(spent && usedAnything(spent) ? { usage: spent } : {}),
    ...(fence === undefined ? {} : { fence }),
  };
  return ApplicationFailure.create({
    type: verdict.code,
    message: cut(verdict.message),
    nonRetryable: !verdict.retryable,
    ...(nextRetryDelayMs === undefined ? {} : { nextRetryDelay: nextRetryDelayMs }),
    ...(Object.keys(details).length > 0 ? { details: [details] } : {}),
  });
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
function cut(message: string): string {
  const max = LIMITS.errorBytes / 2;
  const short = message.length <= max ? message : `${message.slice(0, max)} … (cut)`;
  return short.toWellFormed();
}
