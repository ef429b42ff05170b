import { calls, type TestSystem } from '../support/system.ts';
import { cleanOldRows } from './clean-old-rows.ts';
import { playToEnd, requestOf, type Execution, type Play } from './play.ts';

/** What is longer than one execution, on a server that asks early for continue-as-new. */
export const playContinuing: Play = async (system, record) => {
  const worker = await system.startWorker();
  const looks = ['a', 'b', 'c', 'd'].map((label) => calls(['look', { label }]));
  const run = await playToEnd(system, requestOf('continued-first', ...looks, { say: 'at last' }));
  await record('continued-first', run);
  await record('continued-last', await nextOf(system, run));

  // Scopes enough for more batches than an execution has.
  for (let number = 1; number <= 7; number++) {
    const request = requestOf('cleanup-continued-first', { say: 'ok' });
    await playToEnd(system, { ...request, key: `to-be-cleaned-${number}` });
  }
  const cleaning = await cleanOldRows(system, 1);
  await record('cleanup-continued-first', cleaning);
  await record('cleanup-continued-last', await nextOf(system, cleaning));
  await worker.stop();
};

/** The execution that another one continued as, which is to be the last. */
async function nextOf(
  { temporal }: TestSystem,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<Execution> {
  const { workflow } = temporal;
  const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
  const next = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  const { runId: last } = await workflow.getHandle(workflowId).describe();
  if (!next || next !== last) throw new Error(`${workflowId} is no chain of two executions.`);
  return { workflowId, runId: next };
}
