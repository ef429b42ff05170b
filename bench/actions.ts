import type { WorkflowHandle } from '@temporalio/client';

/** An event of a history as Temporal's client reads it. */
export type HistoryEvent = NonNullable<
  Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']
>[number];

/**
 * Commands that a workflow's code sent, by the names of the events that they left:
 * `activityTaskScheduled`, `markerRecorded`, `upsertWorkflowSearchAttributes` …
 */
export function commandsOf(events: readonly HistoryEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    const [name, attributes] = attributesOf(event);
    // Events that no command caused do not name the workflow task that did.
    const { workflowTaskCompletedEventId: task } = attributes;
    if (task === undefined || task === null || Number(task) === 0) continue;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/**
 * Actions that Temporal Cloud bills for what is in a history. What leaves no event is not among them:
 * heartbeats that reach the server, and queries, are one each, and have to be counted as requests.
 * As https://docs.temporal.io/cloud/actions has it (read in November 2026):
 * - a start of a run, also by continue-as-new; a reset;
 * - an activity that is scheduled, and each further attempt of it;
 * - all markers of a workflow task together, which is how local activities are counted, and each
 *   further attempt of a local activity;
 * - a command that upserts search attributes, unless it has the attribute of workflow versioning alone;
 * - a timer; a signal; an update that was accepted; a child's start; a change of a run's options;
 * - a Nexus operation, and its cancellation.
 */
export function actionsIn(events: readonly HistoryEvent[]): number {
  const tasksWithMarkers = new Set<string>();
  let actions = 0;
  for (const event of events) {
    const [name, attributes] = attributesOf(event);
    if (name === 'markerRecorded') {
      tasksWithMarkers.add(String(attributes.workflowTaskCompletedEventId));
    } else if (name === 'activityTaskStarted') {
      actions += (event.activityTaskStartedEventAttributes?.attempt ?? 1) - 1;
    } else if (name === 'workflowTaskCompleted') {
      const { meteringMetadata } = event.workflowTaskCompletedEventAttributes ?? {};
      actions += meteringMetadata?.nonfirstLocalActivityExecutionAttempts ?? 0;
    } else if (name === 'workflowTaskFailed') {
      // What the protocol calls WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW.
      if (event.workflowTaskFailedEventAttributes?.cause === 20) actions += 1;
    } else if (name === 'upsertWorkflowSearchAttributes') {
      const { searchAttributes } = event.upsertWorkflowSearchAttributesEventAttributes ?? {};
      const upserted = Object.keys(searchAttributes?.indexedFields ?? {});
      if (upserted.some((attribute) => attribute !== 'TemporalChangeVersion')) actions += 1;
    } else if (ONE_EACH.has(name)) {
      actions += 1;
    }
  }
  return actions + tasksWithMarkers.size;
}

const ONE_EACH = new Set([
  'workflowExecutionStarted',
  'workflowExecutionSignaled',
  'workflowExecutionUpdateAccepted',
  'workflowExecutionOptionsUpdated',
  'startChildWorkflowExecutionInitiated',
  'activityTaskScheduled',
  'timerStarted',
  'nexusOperationScheduled',
  'nexusOperationCancelRequested',
]);

/** The event's name, and what it says. */
function attributesOf(event: HistoryEvent): [string, { workflowTaskCompletedEventId?: unknown }] {
  const [member, attributes] =
    Object.entries(event).find(
      ([key, value]) => key.endsWith('EventAttributes') && value !== null && value !== undefined,
    ) ?? [];
  return [(member ?? '').replace(/EventAttributes$/, ''), (attributes ?? {}) as object];
}
