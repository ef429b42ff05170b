import type { Context } from '@temporalio/activity';
import type { ActivityDeps } from '../deps.ts';
import { activityFailure } from './failures.ts';
import type { StepPlan } from './work.ts';

/**
 * Holds a `keyed` step of the fast lane to its `scheduleToCloseMs`, after which the other side need
 * not remember its token. Temporal counts the time of a local activity anew once its worker has
 * died; the ledger knows when the last attempt began. A resumed or reset run is another execution,
 * and may try again.
 *
 * @throws {ApplicationFailure} `step.timed_out`, not retryable
 */
export async function assertInTime(
  { ledger }: ActivityDeps,
  { claim: { scope, step, effect }, policy: { scheduleToCloseMs } }: StepPlan,
  { info: { isLocal, workflowExecution } }: Context,
): Promise<void> {
  if (!isLocal || effect !== 'keyed') return;
  const held = await ledger.step(scope, step);
  if (held?.state !== 'claimed' && held?.state !== 'failed') return;
  if (held.runId !== workflowExecution?.runId || held.claimedAt === null) return;
  if (Date.now() - Date.parse(held.claimedAt) <= scheduleToCloseMs) return;
  throw activityFailure({
    code: 'step.timed_out',
    message:
      `The last attempt of ${step} began at ${held.claimedAt}, and its time (${scheduleToCloseMs} ms) was over ` +
      'before a worker could make another. Whether the other side still knows its key is not certain. Find out whether it had its effect before you resume the run.',
    retryable: false,
  });
}
