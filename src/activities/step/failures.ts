import { ApplicationFailure, Context } from '@temporalio/activity';
import { AgentOnceError, type ErrorCode } from '../../contract/errors.ts';
import { withoutLedgerAddress } from '../../contract/ledger-address.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { RetryPolicy } from '../../contract/settings.ts';
import { usedAnything, type StepFailureDetails, type StepUsage } from '../../contract/step.ts';
import type { StepError } from '../../ledger/port.ts';
import { ModelError } from '../../model/port.ts';
import { StrayError } from './step-code.ts';
import { describeThrown } from './thrown.ts';
import { UnusableAnswer } from './unusable-answer.ts';

/** The ledger refuses this worker; another one, or the same with other settings, may be let in. */
const REFUSED: readonly ErrorCode[] = ['ledger.invalid'];
const OWN_TROUBLE: readonly ErrorCode[] = [
  ...REFUSED,
  'ledger.unreachable',
  'ledger.restored',
  'step.busy',
  'step.claim_lost',
];
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** What is to be done about an error that ended an attempt. */
export interface Verdict extends StepError {
  code: ErrorCode;
  retryable: boolean;
  /** What the other side asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** Reads an error that a step's own work threw; `otherwise` is the code of one that has none. */
export function judge(error: unknown, otherwise: ErrorCode): Verdict {
  try {
    return read(error, otherwise);
  } catch {
    // A tool may throw anything, also what throws when it is looked at.
    return { code: otherwise, message: cut(describeThrown(error)), retryable: true };
  }
}

function read(error: unknown, otherwise: ErrorCode): Verdict {
  if (error instanceof UnusableAnswer) return error.verdict;
  if (error instanceof ModelError) {
    const { code, message, retryable, retryAfterMs } = error;
    return { code, message: cut(message), retryable, retryAfterMs };
  }
  if (error instanceof AgentOnceError) {
    const { code, message } = error;
    return { code, message: cut(withoutLedgerAddress(message)), retryable: isOwnTrouble(code) };
  }
  if (error instanceof ApplicationFailure) {
    return { code: otherwise, message: cut(error.message), retryable: !error.nonRetryable };
  }
  if (error instanceof StrayError) {
    return { code: otherwise, message: cut(error.message), retryable: true };
  }
  const code = nameOf(error) === 'TimeoutError' ? 'step.timed_out' : otherwise;
  return { code, message: cut(describeThrown(error)), retryable: true };
}

function nameOf(error: unknown): unknown {
  return error instanceof Error ? error.name : undefined;
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
 * @param nextRetryDelayMs default: the policy's; where the ledger refuses this worker or lacks the
 *   run's records, a wait that grows, so that a worker which fails at once does not take each step that
 *   another could do
 * @param spent what the step has used though it failed: for the run's own account
 * @param fence of an attempt that may have had its effect: for the run that resumes this one
 */
export function failStep(
  verdict: Verdict,
  nextRetryDelayMs: number | undefined = untilMendedMs(verdict),
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

function untilMendedMs({ code, retryable }: Verdict): number | undefined {
  if (!retryable || !(isRefused(code) || code === 'ledger.restored')) return undefined;
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
