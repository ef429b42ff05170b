import type { TestSystem } from './system.ts';

/**
 * Resets the current execution to its first workflow task.
 *
 * @returns the run ID of the execution that goes on in its place
 */
export async function resetToBegin({ temporal }: TestSystem, workflowId: string): Promise<string> {
  const handle = temporal.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  const reset = await temporal.workflowService.resetWorkflowExecution({
    namespace: temporal.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: firstTask?.eventId ?? null,
    requestId: crypto.randomUUID(),
    reason: 'test',
  });
  return reset.runId;
}
