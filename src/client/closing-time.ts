import type { Client, WorkflowClient, WorkflowService } from '@temporalio/client';
import { toIso } from './protobuf-time.ts';

type HistoryRequest = Parameters<WorkflowService['getWorkflowExecutionHistory']>[0];

/**
 * A client like the given one, for results only, which also says when the execution closed that it
 * has the result of. Temporal's client reads both from one event and keeps the result: to ask for
 * the time again would make every caller wait for one request more.
 *
 * @param tell is called with ISO 8601
 */
export function clientThatTells(
  temporal: Client,
  tell: (closedAt: string) => void,
): WorkflowClient {
  const { workflow } = temporal;
  const service = workflow.connection.workflowService;
  const getWorkflowExecutionHistory = async (request: HistoryRequest) => {
    const answer = await service.getWorkflowExecutionHistory(request);
    const time = toIso(answer.history?.events?.at(-1)?.eventTime);
    if (time !== null) tell(time);
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
