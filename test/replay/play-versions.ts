import { TASK_QUEUE } from '../../src/contract/names.ts';
import { calls } from '../support/system.ts';
import { startVersion } from '../support/worker-version.ts';
import { nextOf } from './play-continuing.ts';
import { requestOf, untilAsked, untilEnd, type Play } from './play.ts';

/** Runs on two versions of the workers, on a server that asks early for continue-as-new. */
export const playVersions: Play = async (system, record) => {
  const one = await startVersion(system, 'v1');
  const spend = calls(['spend', { label: 'p', amount: 100 }]);
  const looks = ['p', 'q'].map((label) => calls(['look', { label }]));
  const request = requestOf('pinned-first', spend, ...looks, { say: 'ok' });
  const started = await system.client.start(request);
  await untilAsked(system, request, 't1.c0');

  const two = await startVersion(system, 'v2');
  await system.client.decide(request, { step: 't1.c0', decision: 'approve', by: 'ann' });
  await untilEnd(system, request);
  await record('pinned-first', started);
  await record('pinned-last', await nextOf(system, started));

  const own = await system.temporal.workflow.start('receive', {
    workflowId: 'own-workflow',
    taskQueue: TASK_QUEUE,
    args: ['ada'],
  });
  await own.signal('arrived');
  await own.result();
  await record('own-workflow', { workflowId: own.workflowId, runId: own.firstExecutionRunId });
  await Promise.all([one.stop(), two.stop()]);
};
