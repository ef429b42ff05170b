import pRetry from 'p-retry';
import { AgentOnceError } from '../contract/errors.ts';

/** Asks the ledger until it answers; at least once. */
export async function untilAnswered<T>(ask: () => Promise<T>, until: AbortSignal): Promise<T> {
  return pRetry(ask, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 100,
    maxTimeout: 2_000,
    shouldRetry: (context) => isUnreachable(context) && !until.aborted,
  });
}

export function isUnreachable({ error }: { error: unknown }): boolean {
  return error instanceof AgentOnceError && error.code === 'ledger.unreachable';
}
