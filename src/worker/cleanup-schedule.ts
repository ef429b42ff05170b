import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleSpec,
} from '@temporalio/client';
import type { CleanupInput } from '../contract/cleanup.ts';
import { CLEANUP_SCHEDULE, LEDGER_CLEANUP, type TaskQueues } from '../contract/names.ts';

const REQUEST_TIMEOUT_MS = 10_000;
/** After an outage one cleaning makes up for all that were missed. */
const CATCHUP_MS = 60_000;
const MOST_JITTER_MS = 5 * 60_000;

/**
 * Makes the Schedule of the cleaning, or brings it up to date, or, without an interval, removes it.
 * Workers that start together make one. What an operator has changed stays: a pause always, the
 * interval until the setting itself changes.
 *
 * @throws what Temporal's client throws, such as for a missing permission
 */
export async function keepCleanupSchedule(
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
