import { Gauge, type Registry } from 'prom-client';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import { askedLately } from './asked-lately.ts';

const ASK_EVERY_MS = 15_000;
const OLD_MS = 120_000;
/** A poll lasts a minute at most. */
const POLLED_MS = 75_000;
/** Temporal's numbers of the kinds of tasks. */
const KINDS = { workflow: 1, activity: 2 } as const;

/** Tells of each task queue what waits in it, and who polls it, as Temporal has it: also without workers. */
export function tellTaskQueues(registry: Registry, client: () => Promise<AgentOnceClient>): void {
  const labelNames = ['task_queue', 'kind'];
  const registers = [registry];
  const backlog = new Gauge({
    registers,
    name: 'agent_once_task_queue_backlog_tasks',
    help: 'Tasks that wait until a worker takes them',
    labelNames,
    collect: () => lately(),
  });
  const pollers = new Gauge({
    registers,
    name: 'agent_once_task_queue_pollers',
    help: 'Workers that have asked for tasks in the last minute',
    labelNames,
    collect: () => lately(),
  });
  const tell = async (
    { temporal }: AgentOnceClient['context'],
    name: string,
    kind: keyof typeof KINDS,
  ): Promise<void> => {
    const told = await temporal.withDeadline(Date.now() + ASK_EVERY_MS, () =>
      temporal.workflowService.describeTaskQueue({
        namespace: temporal.options.namespace,
        taskQueue: { name },
        taskQueueType: KINDS[kind],
        reportStats: true,
      }),
    );
    const since = Date.now() - POLLED_MS;
    const lastly = told.pollers.filter(
      ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > since,
    );
    const labels = { task_queue: name, kind };
    pollers.set(labels, new Set(lastly.map(({ identity }) => identity)).size);
    backlog.set(labels, Number(told.stats?.approximateBacklogCount ?? 0));
  };
  const ask = async (): Promise<void> => {
    const { context } = await client();
    const { workflows, model, tools } = context.queues;
    await Promise.all([
      tell(context, workflows, 'workflow'),
      ...[...new Set([model, tools])].map((name) => tell(context, name, 'activity')),
    ]);
  };
  const lately = askedLately(ASK_EVERY_MS, OLD_MS, ask, () => {
    for (const gauge of [backlog, pollers]) gauge.reset();
  });
}
