import { LEDGER_CLEANUP, TASK_QUEUE } from '../../src/contract/names.ts';
import type { TestSystem } from '../support/system.ts';

/**
 * Makes all rows of the ledger older than what the server retains, and has the ledger cleaned.
 *
 * @param batch scopes of one activity
 * @returns the first execution of the cleaning
 */
export async function cleanOldRows(
  { sql, temporal }: TestSystem,
  batch: number,
): Promise<{ workflowId: string; runId: string }> {
  const by = "interval '5 days'";
  await sql.query(
    `UPDATE agent_once.steps SET created_at = created_at - ${by}, claimed_at = claimed_at - ${by},
       ended_at = ended_at - ${by}, lease_until = lease_until - ${by}`,
  );
  await sql.query(
    `UPDATE agent_once.questions SET asked_at = asked_at - ${by}, decided_at = decided_at - ${by}`,
  );
  const cleaning = await temporal.workflow.start(LEDGER_CLEANUP, {
    workflowId: 'cleaning',
    taskQueue: TASK_QUEUE,
    args: [{ queue: TASK_QUEUE, batch }],
  });
  await cleaning.result();
  return { workflowId: cleaning.workflowId, runId: cleaning.firstExecutionRunId };
}
