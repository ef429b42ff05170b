import type { WorkflowHandle } from '@temporalio/client';

type HistoryEvent = NonNullable<
  Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']
>[number];

/**
 * Bytes of history that each turn made, by Temporal's own count: it says in each workflow task how
 * large the history is. A turn begins with the task that schedules a model call.
 *
 * @returns one for each turn that another one followed
 */
export function bytesPerTurn(events: readonly HistoryEvent[]): number[] {
  const sizes: number[] = [];
  let size = 0;
  for (const event of events) {
    const at = event.workflowTaskStartedEventAttributes?.historySizeBytes;
    if (at) size = Number(at);
    const scheduled = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (scheduled === 'callModel') sizes.push(size);
  }
  return sizes.slice(1).map((next, turn) => next - (sizes[turn] ?? 0));
}

/**
 * Means of the first and of the second half of a run's turns, and how many times the one the other is.
 * The first turn has what the run began with, and is in neither.
 */
export function halvesOf(perTurn: readonly number[]): {
  first: number;
  last: number;
  ratio: number;
} {
  const turns = perTurn.slice(1);
  const half = turns.length >> 1;
  const first = meanOf(turns.slice(0, half));
  const last = meanOf(turns.slice(turns.length - half));
  return { first, last, ratio: last / first };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
