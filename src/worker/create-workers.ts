import { Worker } from '@temporalio/worker';
import { createActivities } from '../activities/create-activities.ts';
import type { ActivityDeps } from '../activities/deps.ts';
import type { Config } from '../config.ts';
import { taskQueues } from '../contract/names.ts';
import type { WorkerConnection } from './connect.ts';
import type { OwnActivities } from './own-activities.ts';
import { workflowBundle } from './workflow-code.ts';

/** What one worker process does: everything, or one part of a split deployment. */
export const PARTS = ['model', 'tools', 'workflows'] as const;
export type Part = (typeof PARTS)[number];

/** What the app has of its own besides agents. */
export interface OwnParts {
  /** Where the entry of its workflows is, see `workflowBundle`. */
  folder?: string | undefined;
  activities: OwnActivities;
}

/**
 * The workers of one process, by task queue: one, or one for each part of a split deployment. The
 * app's own activities are on the queue of workflows, where workflows look for activities.
 */
export async function createWorkers(
  config: Config,
  { connection, namespace, plugins }: WorkerConnection,
  deps: ActivityDeps | undefined,
  own: OwnParts,
  graceMs: number,
  only?: Part,
): Promise<Map<string, Worker>> {
  const queues = taskQueues(config.splitTaskQueues);
  const common = {
    connection,
    namespace,
    plugins,
    shutdownGraceTime: graceMs,
    // Cancellation reaches an activity with the answer to a heartbeat: by default that takes
    // seconds, and a model request goes on being paid for.
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
    // What the workflows of a dead worker wait for before another one may replay them.
    stickyQueueScheduleToStartTimeout: 2_000,
    ...versioning(config),
  };
  const slots = (executions: number) => ({ maxConcurrentActivityTaskExecutions: executions });
  const { modelSlots, toolSlots } = config;
  const workers = new Map<string, Worker>();
  const withWorkflows = only === undefined || only === 'workflows';
  const bundle = withWorkflows ? { workflowBundle: await workflowBundle(own.folder) } : {};

  if (!config.splitTaskQueues) {
    const activities = { ...own.activities, ...(deps && createActivities(deps)) };
    const taskQueue = queues.workflows;
    const both = slots(modelSlots + toolSlots);
    const worker = { ...common, ...both, taskQueue, ...bundle, activities };
    workers.set(taskQueue, await Worker.create(worker));
    return workers;
  }
  if (withWorkflows) {
    const taskQueue = queues.workflows;
    // Without activities a worker does not ask for any.
    const { activities } = own;
    const some = Object.keys(activities).length > 0 ? { activities, ...slots(toolSlots) } : {};
    workers.set(taskQueue, await Worker.create({ ...common, taskQueue, ...bundle, ...some }));
  }
  for (const part of ['model', 'tools'] as const) {
    if (!deps || (only !== undefined && only !== part)) continue;
    const taskQueue = queues[part];
    const activities = createActivities(deps, part);
    const limits = slots(part === 'model' ? modelSlots : toolSlots);
    workers.set(taskQueue, await Worker.create({ ...common, ...limits, taskQueue, activities }));
  }
  return workers;
}

/** An execution stays on the version that began it. */
function versioning({ deployment }: Config) {
  if (!deployment) return {};
  const defaultVersioningBehavior = 'PINNED' as const;
  return {
    workerDeploymentOptions: {
      version: deployment,
      useWorkerVersioning: true as const,
      defaultVersioningBehavior,
    },
  };
}
