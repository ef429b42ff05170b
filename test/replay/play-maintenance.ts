import { CALL_MODEL } from '../../src/contract/names.ts';
import { calls, type TestSystem } from '../support/system.ts';
import { cleanOldRows } from './clean-old-rows.ts';
import { playToEnd, requestOf, type Execution, type Play } from './play.ts';

/** What an operator does, and the cleaning. */
export const playMaintenance: Play = async (system, record) => {
  const worker = await system.startWorker();
  const request = requestOf(
    'reset',
    calls(['look', { label: 'r' }]),
    calls(['charge', { label: 'r' }]),
    { say: 'ok' },
  );
  await record('reset', await resetToSecondTurn(system, await playToEnd(system, request)));

  await record('ledger-cleanup', await cleanOldRows(system, 8));
  await worker.stop();
};

/** Has the second turn of a run that has ended decided anew, and waits for the new end. */
async function resetToSecondTurn(
  { temporal }: TestSystem,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<Execution> {
  const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
  const secondTurn = events?.find(
    (event) =>
      event.activityTaskScheduledEventAttributes?.activityType?.name === CALL_MODEL &&
      event.activityTaskScheduledEventAttributes.activityId !== '1',
  );
  const task = secondTurn?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId;
  const reset = await temporal.workflowService.resetWorkflowExecution({
    namespace: temporal.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: task ?? null,
    requestId: crypto.randomUUID(),
    reason: 'recorded',
  });
  await temporal.workflow.getHandle(workflowId, reset.runId).result();
  return { workflowId, runId: reset.runId };
}
