import { WorkflowFailedError } from '@temporalio/client';
import type { CleanupInput, CleanupReport } from '../contract/cleanup.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { CLEANUP_SCHEDULE, LEDGER_CLEANUP } from '../contract/names.ts';
import { ask, type ClientContext } from './context.ts';
import { asAgentOnceError, isUnreachable } from './temporal-errors.ts';

/** See `AgentOnceClient.cleanup`. */
export async function cleanNow(
  context: ClientContext,
  { dryRun, timeoutMs }: { dryRun: boolean; timeoutMs: number },
): Promise<CleanupReport> {
  const { temporal, queues } = context;
  const input: CleanupInput = { queue: queues.tools, dryRun };
  const workflowId = `${CLEANUP_SCHEDULE}-${dryRun ? 'look' : 'now'}`;
  const handle = await ask(context, () =>
    temporal.workflow.start(LEDGER_CLEANUP, {
      workflowId,
      taskQueue: queues.workflows,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [input],
    }),
  );
  try {
    const report = await temporal.withDeadline(Date.now() + timeoutMs, () => handle.result());
    return report as CleanupReport;
  } catch (error) {
    if (error instanceof WorkflowFailedError) {
      const reason = error.cause?.cause ?? error.cause ?? error;
      throw new AgentOnceError(
        'run.failed',
        `The cleaning failed: ${(reason as Error).message} What it removed before is gone, the rest is kept. See the workflow ${workflowId} in Temporal UI.`,
        { cause: error },
      );
    }
    if (!isUnreachable(error)) throw asAgentOnceError(error, temporal);
    throw new AgentOnceError(
      'run.still_running',
      `The cleaning has not ended within ${timeoutMs / 1_000} s, and goes on. If no worker is there, it begins when one starts. The same command waits for it again; in Temporal UI it is the workflow ${workflowId}.`,
      { cause: error },
    );
  }
}
