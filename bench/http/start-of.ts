import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { Client } from '@temporalio/client';

/** What a start asks of Temporal, but for its ID: the bare route asks the same. */
export interface SameStart {
  type: string;
  taskQueue: string;
  args: unknown[];
  memo: Record<string, unknown>;
  /** Of keywords, by name. */
  searchAttributes: Record<string, string>;
  staticSummary: string;
  staticDetails: string;
}

/** Reads the start of a workflow from its history. */
export async function startOf(temporal: Client, workflowId: string): Promise<SameStart> {
  const handle = temporal.workflow.getHandle(workflowId);
  const [{ events }, description] = await Promise.all([handle.fetchHistory(), handle.describe()]);
  const started = events?.[0]?.workflowExecutionStartedEventAttributes;
  const type = started?.workflowType?.name;
  const taskQueue = started?.taskQueue?.name;
  if (!started || !type || !taskQueue) throw new Error(`${workflowId} has no start in its history`);
  const fields = (of: { [name: string]: Payload } | null | undefined): [string, unknown][] =>
    Object.entries(of ?? {}).map(([name, value]) => [name, read(value)]);
  return {
    type,
    taskQueue,
    args: (started.input?.payloads ?? []).map(read),
    memo: Object.fromEntries(fields(started.memo?.fields)),
    searchAttributes: Object.fromEntries(
      fields(started.searchAttributes?.indexedFields).map(([name, value]) => [name, String(value)]),
    ),
    staticSummary: (await description.staticSummary()) ?? '',
    staticDetails: (await description.staticDetails()) ?? '',
  };
}

function read(payload: Payload): unknown {
  return defaultPayloadConverter.fromPayload(payload);
}
