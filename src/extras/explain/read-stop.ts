import type { WorkflowExecutionDescription } from '@temporalio/client';
import { request, type ClientContext } from '../../client/context.ts';
import type { StopRequest } from './explanation.ts';
import { toIso } from '../../client/protobuf-time.ts';

/** A run that is asked to stop ends soon: what asked it is near the end of its history. */
const LAST_EVENTS = 50;

/** Who asked an execution to stop, or ended it; `null`: nobody, or it is not to be found. */
export async function readStop(
  context: ClientContext,
  { workflowId, runId, status, raw }: WorkflowExecutionDescription,
): Promise<StopRequest | null> {
  const asked = raw.workflowExtendedInfo?.cancelRequested === true;
  if (!asked && status.name !== 'CANCELLED' && status.name !== 'TERMINATED') return null;
  const { temporal } = context;
  try {
    const { history } = await request(context, () =>
      temporal.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: temporal.options.namespace,
        execution: { workflowId, runId },
        maximumPageSize: LAST_EVENTS,
      }),
    );
    for (const event of history?.events ?? []) {
      const ended = event.workflowExecutionTerminatedEventAttributes;
      const cancelled = event.workflowExecutionCancelRequestedEventAttributes;
      const found = ended ?? cancelled;
      if (!found) continue;
      return {
        how: ended ? 'terminate' : 'cancel',
        at: toIso(event.eventTime),
        by: found.identity || null,
        reason: (ended ? ended.reason : cancelled?.cause) || null,
      };
    }
  } catch {
    // It is a detail: the rest of the story is told without it.
  }
  return null;
}
