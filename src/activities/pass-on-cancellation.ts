import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { tokenOf, type PassOnCancellationInput } from '../contract/step.ts';
import type { ActivityDeps } from './deps.ts';

/** A step that was about to be claimed hears of it the second time. */
const TIMES = 3;
const BETWEEN_MS = 1_000;

/**
 * The `passOnCancellation` activity: the workers at work for a cancelled run hear of it with the next
 * renewal of their leases, and ask Temporal. Where the server itself tells workers, most know by then:
 * it tries three times, and gives up. What is made in the background for a model step that no attempt is
 * at work for is cancelled at its endpoint.
 */
export async function passOnCancellation(
  deps: ActivityDeps,
  input: PassOnCancellationInput,
): Promise<void> {
  const { ledger, pushed } = deps;
  const { info, cancellationSignal } = Context.current();
  const execution = info.workflowExecution;
  if (!execution) return;
  const isOver = await cancelResponse(deps, input, execution, false);
  if (!ledger.leases && isOver) return;
  if (pushed) await sleep(BETWEEN_MS, undefined, { signal: cancellationSignal });
  for (let time = 0; time < TIMES; time += 1) {
    await ledger.leases?.cancel(input.scope, execution.runId);
    await sleep(BETWEEN_MS, undefined, { signal: cancellationSignal });
  }
  // An attempt that has neither ended nor cancelled it by now is dead, or does not hear.
  if (!isOver) await cancelResponse(deps, input, execution, true);
}

/** @returns `false`: an attempt may be at work, which cancels it itself */
async function cancelResponse(
  { ledger, model, agents }: ActivityDeps,
  { scope, agent, step }: PassOnCancellationInput,
  { runId, workflowId }: { runId: string; workflowId: string },
  claimed: boolean,
): Promise<boolean> {
  // Absent in what a workflow of an earlier version has scheduled.
  if (agent === undefined || step === undefined) return true;
  const held = await ledger.step(scope, step);
  if (held?.runId !== runId) return true;
  if (held.state === 'claimed' && !claimed) return false;
  const { coalesce, cacheModelSeconds } = agents.agent(agent)?.definition ?? { coalesce: true };
  // Another run may have taken it over.
  const isShared = coalesce === true || cacheModelSeconds !== undefined;
  const pending = held.state === 'completed' ? undefined : held.asking?.pending;
  if (isShared || !pending) return true;
  const context = { token: tokenOf(scope, step), round: held.round, workflowId };
  await model.cancel?.(pending, context).catch(() => {});
  return true;
}
