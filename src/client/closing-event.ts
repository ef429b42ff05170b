import type { Client, WorkflowClient, WorkflowService } from '@temporalio/client';
import { toIso } from './protobuf-time.ts';

type HistoryRequest = Parameters<WorkflowService['getWorkflowExecutionHistory']>[0];

/** What is told of the end of an execution besides its result. */
export interface ClosingEvent {
  /** ISO 8601. */
  at: string;
  /** Who terminated it; `null`: it was not terminated, or nobody was named. */
  terminatedBy: string | null;
}

/**
 * A client like the given one, for results only, which also says when the execution closed that it
 * has the result of, and who terminated it. Temporal's client reads all from one event and keeps the
 * result: to ask for the rest again would make every caller wait for one request more.
 */
export function clientThatTells(
  temporal: Client,
  tell: (closed: ClosingEvent) => void,
): WorkflowClient {
  const { workflow } = temporal;
  const service = workflow.connection.workflowService;
  const getWorkflowExecutionHistory = async (request: HistoryRequest) => {
    const answer = await service.getWorkflowExecutionHistory(request);
    const event = answer.history?.events?.at(-1);
    const at = toIso(event?.eventTime);
    const terminatedBy = event?.workflowExecutionTerminatedEventAttributes?.identity || null;
    if (at !== null) tell({ at, terminatedBy });
    return answer;
  };
  // These stand before the client, its connection and its service: what others use is not changed.
  const workflowService: unknown = Object.create(service, {
    getWorkflowExecutionHistory: { value: getWorkflowExecutionHistory },
  });
  const connection: unknown = Object.create(workflow.connection, {
    workflowService: { value: workflowService },
  });
  return Object.create(workflow, { connection: { value: connection } }) as WorkflowClient;
}
