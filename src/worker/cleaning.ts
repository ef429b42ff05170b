import {
  Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleSpec,
} from '@temporalio/client';
import type { Logger } from '@temporalio/worker';
import type { ActivityDeps } from '../activities/deps.ts';
import { asAgentOnceError } from '../client/temporal-errors.ts';
import type { Config } from '../config.ts';
import type { CleanupInput } from '../contract/cleanup.ts';
import {
  CLEANUP_SCHEDULE,
  LEDGER_CLEANUP,
  taskQueues,
  type TaskQueues,
} from '../contract/names.ts';
import type { Ledger } from '../ledger/port.ts';
import type { WorkerConnection } from './connect.ts';
import { createRetainedRuns } from './retained-runs.ts';

const REQUEST_TIMEOUT_MS = 10_000;
/** After an outage one cleaning makes up for all that were missed. */
const CATCHUP_MS = 60_000;
const MOST_JITTER_MS = 5 * 60_000;

/**
 * Says to the ledger whose runs it is about to hold, and keeps the Schedule in place. What does
 * not succeed there is no reason not to work: it is a warning in the log.
 *
 * @param cleans whether this worker takes cleaning's own tasks
 * @param log hears of what does not succeed
 * @throws {AgentOnceError} of the ledger
 */
export async function prepareCleaning(
  config: Config,
  { connection, namespace, namespaceId, address, plugins }: WorkerConnection,
  { cleaner }: Ledger,
  cleans: boolean,
  log: Logger,
): Promise<ActivityDeps['cleaning']> {
  if (!cleaner) return undefined;
  const home = { id: namespaceId, name: namespace };
  const others = await cleaner.register(home);
  if (!cleans) return undefined;

  const { cleanupEveryMs, splitTaskQueues } = config;
  if (others.length > 0 && cleanupEveryMs !== undefined) {
    log.warn(
      `The ledger is not cleaned: runs of other Temporal namespaces use it or did (${others.map(({ name }) => `"${name}"`).join(', ')}). See "Cleaning" in docs/operations.md.`,
    );
  }
  const client = new Client({ connection, namespace, plugins });
  try {
    await keepCleanupSchedule(client, taskQueues(splitTaskQueues), cleanupEveryMs);
  } catch (error) {
    const { message } = asAgentOnceError(error, { address, namespace });
    log.warn(
      `The Schedule that cleans the ledger could not be kept in place. ${message} Runs are not concerned; without cleaning the ledger grows. AGENT_ONCE_CLEANUP=off stops this worker from asking.`,
    );
  }
  return { cleaner, runs: createRetainedRuns(client, home) };
}

/**
 * Makes the Schedule of the cleaning, or brings it up to date, or, without an interval, removes it.
 * Workers that start together make one. What an operator has changed stays: a pause always, the
 * interval until the setting itself changes.
 *
 * @throws what Temporal's client throws, such as for a missing permission
 */
async function keepCleanupSchedule(
  client: Client,
  queues: TaskQueues,
  everyMs: number | undefined,
): Promise<void> {
  await client.withDeadline(Date.now() + REQUEST_TIMEOUT_MS, async () => {
    const handle = client.schedule.getHandle(CLEANUP_SCHEDULE);
    const found = await handle.describe().catch(unlessMissing);
    if (everyMs === undefined) {
      if (found) await handle.delete().catch(unlessMissing);
      return;
    }
    const input: CleanupInput = { queue: queues.tools, everyMs };
    const action = {
      type: 'startWorkflow' as const,
      workflowType: LEDGER_CLEANUP,
      workflowId: CLEANUP_SCHEDULE,
      taskQueue: queues.workflows,
      args: [input],
    };
    if (!found) {
      try {
        await client.schedule.create({
          scheduleId: CLEANUP_SCHEDULE,
          action,
          spec: specOf(everyMs),
          policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_MS },
        });
      } catch (error) {
        // Another worker that starts was first.
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      }
      return;
    }
    const before = inputOf(found);
    if (
      before?.everyMs === everyMs &&
      before.queue === input.queue &&
      found.action.taskQueue === action.taskQueue
    ) {
      return;
    }
    await handle.update((latest) => ({
      ...latest,
      action,
      spec: inputOf(latest)?.everyMs === everyMs ? latest.spec : specOf(everyMs),
    }));
  });
}

function specOf(everyMs: number): ScheduleSpec {
  return {
    intervals: [{ every: everyMs }],
    jitter: Math.min(MOST_JITTER_MS, Math.floor(everyMs / 10)),
  };
}

function inputOf(schedule: ScheduleDescription): Partial<CleanupInput> | undefined {
  return schedule.action.args?.[0] as Partial<CleanupInput> | undefined;
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}
