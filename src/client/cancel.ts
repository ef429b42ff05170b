import { WorkflowNotFoundError } from '@temporalio/client';
import { request, type ClientContext, type RunIdentity } from './context.ts';
import { describeRun, getExecution } from './describe.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import type { CancelledRun } from './types.ts';
import { firstRunIdOf, isOpen } from './view.ts';

/** Asks a run to stop. One that has ended stays as it is. */
export async function cancelRun(context: ClientContext, run: RunIdentity): Promise<CancelledRun> {
  const execution = await getExecution(context, run);
  let cancelRequested = isOpen(execution);
  if (cancelRequested) {
    // Whatever execution of this run is current when the request arrives, and of no other run.
    const handle = context.temporal.workflow.getHandle(run.workflowId, undefined, {
      firstExecutionRunId: firstRunIdOf(execution),
    });
    try {
      await request(context, () => handle.cancel());
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError))
        throw asAgentOnceError(error, context.temporal);
      // It ended in between.
      cancelRequested = false;
    }
  }
  return { ...(await describeRun(context, run)), cancelRequested };
}
