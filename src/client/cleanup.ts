import { WorkflowFailedError } from '@temporalio/client';
import type { CleanupInput, CleanupReport } from '../contract/cleanup.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { CLEANUP_SCHEDULE, LEDGER_CLEANUP } from '../contract/names.ts';
import { ask, type ClientContext } from './context.ts';
import { asAgentOnceError, isUnreachable } from './temporal-errors.ts';

/**
 * Has a worker clean the ledger now, or look what a cleaning would remove, and waits for the report.
 * One that was asked for before and goes on is waited for.
 *
 * @throws {AgentOnceError} `run.still_running` when no report came in time, `run.failed`,
 *   `temporal.…`
 */
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
    const report: unknown = await temporal.withDeadline(Date.now() + timeoutMs, () =>
      handle.result(),
    );
    return report as CleanupReport;
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw failed(error, workflowId);
    if (!isUnreachable(error)) throw asAgentOnceError(error, temporal);
    throw new AgentOnceError(
      'run.still_running',
      `The cleaning has not ended within ${timeoutMs / 1_000} s, and goes on. If no worker is there, it begins when one starts. The same command waits for it again; in Temporal UI it is the workflow ${workflowId}.`,
      { cause: error },
    );
  }
}

function failed(error: WorkflowFailedError, workflowId: string): AgentOnceError {
  const reason = error.cause?.cause ?? error.cause;
  return new AgentOnceError(
    'run.failed',
    `The cleaning failed: ${reason instanceof Error ? reason.message : error.message} What it removed before is gone, the rest is kept. See the workflow ${workflowId} in Temporal UI.`,
    { cause: error },
  );
}
