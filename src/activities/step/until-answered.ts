import pRetry, { type Options } from 'p-retry';
import { AgentOnceError } from '../../contract/errors.ts';
import type { Claim } from '../../ledger/port.ts';
import { isRefused } from './failures.ts';
import type { StepPlan } from './work.ts';

/**
 * Asks the ledger until it answers; at least once.
 *
 * @param refusedForMs for how long to ask again where it refuses this worker: somebody may put that
 *   right. Default: another worker is the sooner one
 */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  until: AbortSignal,
  refusedForMs = 0,
): Promise<T> {
  const begun = Date.now();
  const mayBeMended = ({ error }: { error: unknown }): boolean =>
    error instanceof AgentOnceError && isRefused(error.code) && Date.now() - begun < refusedForMs;
  return askAgain(ask, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 100,
    maxTimeout: 2_000,
    shouldRetry: (context) => (isUnreachable(context) || mayBeMended(context)) && !until.aborted,
  });
}

/**
 * For how long a worker that the ledger refuses keeps the word of an attempt. Nobody but it knows how
 * a step at most once ended, or that it did not begin: worth any wait. Any other one is repeated.
 */
export function refusedForMs({ claim: { effect } }: StepPlan, { leaseMs }: Claim): number {
  return effect === 'at-most-once' ? Number.POSITIVE_INFINITY : leaseMs;
}

/** p-retry for what has failed once: to prepare for it takes as long as a short statement. */
export async function askAgain<T>(ask: () => Promise<T>, options: Options): Promise<T> {
  options.signal?.throwIfAborted();
  let first: { error: unknown } | undefined;
  try {
    return await ask();
  } catch (error) {
    first = { error };
  }
  // Its first try is the one that has failed.
  const again = (): Promise<T> => {
    if (!first) return ask();
    const { error } = first;
    first = undefined;
    throw error;
  };
  return pRetry(again, options);
}

export function isUnreachable({ error }: { error: unknown }): boolean {
  return error instanceof AgentOnceError && error.code === 'ledger.unreachable';
}
