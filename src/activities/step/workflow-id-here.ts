import { Context } from '@temporalio/activity';

/** The workflow ID of the run that the current activity belongs to: what correlates everything. */
export function workflowIdHere(): string {
  return Context.current().info.workflowExecution?.workflowId ?? '';
}
