import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { ActivityDeps } from './deps.ts';

/** A step that was about to be claimed hears of it the second time. */
const TIMES = 3;
const BETWEEN_MS = 1_000;

/**
 * The `passOnCancellation` activity: the workers at work for a cancelled run hear of it with the next
 * renewal of their leases, and ask Temporal. Where the server itself tells workers, most know by then:
 * it tries three times, and gives up.
 */
export async function passOnCancellation(
  { ledger, pushed }: ActivityDeps,
  scope: string,
): Promise<void> {
  const { info, cancellationSignal } = Context.current();
  const { runId } = info.workflowExecution ?? {};
  if (!ledger.leases || runId === undefined) return;
  if (pushed) await sleep(BETWEEN_MS, undefined, { signal: cancellationSignal });
  for (let time = 0; time < TIMES; time += 1) {
    await ledger.leases.cancel(scope, runId);
    await sleep(BETWEEN_MS, undefined, { signal: cancellationSignal });
  }
}
