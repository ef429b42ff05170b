import { calls, type TestSystem } from '../support/system.ts';
import { cleanOldRows } from './clean-old-rows.ts';
import {
  playToEnd,
  requestOf,
  untilAsked,
  untilEnd,
  untilRequested,
  type Execution,
  type Play,
  type RecordExecution,
} from './play.ts';

/** What is longer than one execution, on a server that asks early for continue-as-new. */
export const playContinuing: Play = async (system, record) => {
  const worker = await system.startWorker();
  const looks = ['a', 'b', 'c', 'd'].map((label) => calls(['look', { label }]));
  const run = await playToEnd(system, requestOf('continued-first', ...looks, { say: 'at last' }));
  await record('continued-first', run);
  await record('continued-last', await nextOf(system, run));

  await playAsked(system, record);

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

/** The answer is given once more, when the run has continued as new. */
async function playAsked(system: TestSystem, record: RecordExecution): Promise<void> {
  const { client, counter } = system;
  const looks = ['e', 'f'].map((label) => calls(['look', { label }]));
  const spend = calls(['spend', { label: 'asked', amount: 100 }]);
  const tail = calls(['look', { label: 'tail' }]);
  const request = requestOf('asked-continued-first', ...looks, spend, tail, { say: 'at last' });
  counter.hold('look:tail');
  const started = await client.start(request);
  await untilAsked(system, request, 't3.c0');
  const answer = { step: 't3.c0', decision: 'approve', by: 'ann', round: 1 } as const;
  await client.decide(request, answer);
  await untilRequested(system, 'look:tail');
  await client.decide(request, answer);
  counter.letGo('look:tail');
  await untilEnd(system, request);
  await record('asked-continued-first', started);
  await record('asked-continued-last', await nextOf(system, started));
}

/** The execution that another one continued as, which is to be the last. */
export async function nextOf(
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
