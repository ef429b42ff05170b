import type { Client } from '@temporalio/client';

/** How often each kind of event is in a run's history, by the name of its attributes. */
export async function eventsOf(
  temporal: Client,
  workflowId: string,
): Promise<Record<string, number>> {
  const { events } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  const counted: Record<string, number> = {};
  for (const event of events ?? []) {
    const kind = Object.keys(event).find((name) => name.endsWith('EventAttributes')) ?? '';
    const name = kind.replace(/EventAttributes$/, '');
    counted[name] = (counted[name] ?? 0) + 1;
  }
  return counted;
}
