import { ActivityNotFoundError, Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { pingTemporal } from '../client/probe.ts';
import type { LeftStep } from '../ledger/port.ts';
import type { WorkerConnection } from './connect.ts';

const TIMEOUT_MS = 10_000;
/** A tool whose run was cancelled waits for the answer. */
const ASK_TIMEOUT_MS = 2_000;

/** What activities tell Temporal, and ask it, besides their own ends. */
export interface Temporal {
  /**
   * Tells it that the attempt of a step is over which its worker has left behind, so that it begins the
   * next one without waiting for heartbeats. The ledger alone decides who may go on: an attempt that is
   * alive after all loses nothing that it records.
   */
  tellLeft(step: LeftStep): Promise<void>;
  isOpen(execution: { workflowId: string; runId: string }): Promise<boolean>;
  /** Rejects where the server does not answer. */
  ping(): Promise<void>;
}

export function talkToTemporal({
  connection,
  namespace,
  plugins,
}: Pick<WorkerConnection, 'connection' | 'namespace' | 'plugins'>): Temporal {
  const client = new Client({ connection, namespace, plugins });
  const failure = ApplicationFailure.retryable(
    "The attempt's worker has died, or does not reach the ledger any more. The step goes on.",
    'step.interrupted',
  );
  return {
    async tellLeft(step) {
      try {
        await client.withDeadline(Date.now() + TIMEOUT_MS, () =>
          client.activity.fail(step, failure),
        );
      } catch (error) {
        // It has ended, or has not begun again.
        if (!(error instanceof ActivityNotFoundError)) throw error;
      }
    },
    async isOpen({ workflowId, runId }) {
      const handle = client.workflow.getHandle(workflowId, runId);
      const { status } = await client.withDeadline(Date.now() + ASK_TIMEOUT_MS, () =>
        handle.describe(),
      );
      return status.name === 'RUNNING';
    },
    ping: () => pingTemporal(client),
  };
}
