import { Context } from '@temporalio/activity';
import { SETTLED_SIGNAL } from '../contract/names.ts';
import type { Claim, FailedAttempt, Ledger, StepError } from '../ledger/port.ts';
import type { ActivityDeps } from './deps.ts';
import { untilAnswered } from './until-answered.ts';

/** Says that an attempt's outcome is unknown. Without it the lease runs out, and it is just as unknown. */
export async function abandon(
  deps: ActivityDeps,
  claim: Claim,
  { code, message }: StepError,
  until: AbortSignal,
): Promise<void> {
  const asking = untilAnswered(() => deps.ledger.endUnknown(claim, { code, message }), until);
  const ours = await asking.catch(() => undefined);
  // Somebody has had the last word, and has perhaps set the next attempt going.
  if (ours === false) await noteLateEffect(deps, claim, until);
}

/**
 * An attempt that had been given up may have had its effect after all, and another one too: that
 * cannot be undone, but it can be known.
 */
export async function noteLateEffect(
  { ledger, worker }: ActivityDeps,
  { scope, step, fence }: Claim,
  until: AbortSignal,
): Promise<void> {
  const message = `An attempt on ${worker} that had been given up went on: its effect may have happened twice.`;
  try {
    const held = await untilAnswered(() => ledger.step(scope, step), until);
    // What a person said had happened, or what the next attempt found, is this attempt's own
    // effect, and no second one.
    const found = held?.knownBy === 'find' && Number(held.fence) === Number(fence) + 1;
    if (held?.state === 'completed' && (held.fence === fence || found)) return;
    const note = { code: 'step.late_effect', message };
    await untilAnswered(() => ledger.note(scope, step, note), until);
  } catch {
    Context.current().log.warn(message, { step });
  }
}

/** The run waits for a person who need not decide any more; if this fails, that person is told. */
export async function tellSettled(step: string): Promise<void> {
  const { client, info, log } = Context.current();
  const workflowId = info.workflowExecution?.workflowId;
  if (workflowId === undefined) return;
  try {
    await client.workflow.getHandle(workflowId).signal(SETTLED_SIGNAL, step);
  } catch {
    log.warn('A late result could not be told to its run', { step });
  }
}

/**
 * Gives the claim back, as far as that is possible: without it, the lease runs out.
 *
 * @param how `until`: the ledger is asked until it answers, or this aborts; `refusedForMs`: see
 *   `untilAnswered`
 * @returns `false` when the claim is no longer ours, `undefined` when the ledger did not answer
 */
export async function release(
  ledger: Ledger,
  claim: Claim,
  { code, message }: StepError,
  {
    until,
    refusedForMs,
    ...how
  }: FailedAttempt & { until?: AbortSignal; refusedForMs?: number } = {},
): Promise<boolean | undefined> {
  const fail = () => ledger.fail(claim, { code, message }, how);
  const asking = until ? untilAnswered(fail, until, refusedForMs) : fail();
  return asking.catch(() => undefined);
}
