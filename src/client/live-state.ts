import { STATE_QUERY } from '../contract/names.ts';
import type { RunState } from '../contract/run.ts';
import type { ClientContext } from './context.ts';
import { toMs } from './protobuf-time.ts';

/** A query is answered by a worker; one that is busy or gone must not hold up its caller. */
const QUERY_TIMEOUT_MS = 1_500;

/** A poll lasts at most a minute: whoever has not asked for longer is gone. */
const POLLER_SEEN_MS = 75_000;

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const WORKFLOW_TASKS = 1;

/** The running picture of a run; `undefined` when no worker answers. */
export async function readState(
  context: ClientContext,
  workflowId: string,
): Promise<RunState | undefined> {
  if (!(await hasWorker(context))) return undefined;
  return queryState(context, workflowId);
}

/** Whether a worker polls for workflow tasks. A killed one counts for up to a minute. */
export async function hasWorker(context: ClientContext): Promise<boolean> {
  const { temporal, queues } = context;
  try {
    const { pollers } = await temporal.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      temporal.workflowService.describeTaskQueue({
        namespace: temporal.options.namespace,
        taskQueue: { name: queues.workflows },
        taskQueueType: WORKFLOW_TASKS,
      }),
    );
    const since = Date.now() - POLLER_SEEN_MS;
    return pollers.some(({ lastAccessTime }) => toMs(lastAccessTime ?? {}) > since);
  } catch {
    // It is a hint: whether the server answers at all shows elsewhere.
    return false;
  }
}

/** Asks without looking for a worker first. */
export async function queryState(
  context: ClientContext,
  workflowId: string,
): Promise<RunState | undefined> {
  const { temporal } = context;
  try {
    return await temporal.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      temporal.workflow.getHandle(workflowId).query<RunState>(STATE_QUERY),
    );
  } catch {
    return undefined;
  }
}
