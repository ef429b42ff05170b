import { ActivityNotFoundError, Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { LeftStep } from '../ledger/port.ts';
import type { WorkerConnection } from './connect.ts';

const TIMEOUT_MS = 10_000;

/**
 * Tells Temporal that the attempt of a step is over which its worker has left behind, so that it begins
 * the next one without waiting for heartbeats. The ledger alone decides who may go on: an attempt that
 * is alive after all loses nothing that it records.
 */
export function tellTemporal({
  connection,
  namespace,
}: Pick<WorkerConnection, 'connection' | 'namespace'>): (step: LeftStep) => Promise<void> {
  const client = new Client({ connection, namespace });
  const failure = ApplicationFailure.retryable(
    "The attempt's worker has died, or does not reach the ledger any more. The step goes on.",
    'step.interrupted',
  );
  return async (step) => {
    try {
      await client.withDeadline(Date.now() + TIMEOUT_MS, () => client.activity.fail(step, failure));
    } catch (error) {
      // It has ended, or has not begun again.
      if (!(error instanceof ActivityNotFoundError)) throw error;
    }
  };
}
