import { Context } from '@temporalio/activity';
import { AgentOnceError } from '../../contract/errors.ts';
import { SETTLED_SIGNAL } from '../../contract/names.ts';
import type { KnownBy } from '../../contract/step.ts';
import type { Completion, RecordedStep } from '../../ledger/port.ts';
import { CLAIM_LOST } from './lease.ts';
import { refusedForMs, untilAnswered } from './until-answered.ts';
import type { Running } from './work.ts';

/** How a step ended well, and the identity of the ledger that has it. */
export type StepOutcome = Omit<RecordedStep, 'knownBy'> & {
  knownBy: KnownBy;
  ledger: string;
  /** Of the claim: present where this attempt has recorded it. */
  nonce?: string;
};

/**
 * Records the result of an effect that has happened, whoever has cancelled or stopped what meanwhile,
 * and however long the database is away. Only the attempt's time ends this; then the lease runs out.
 * A worker that is refused leaves it to another one when its lease is over.
 *
 * @returns `false` when another attempt has taken the step over
 */
export async function recordResult(
  { deps: { ledger }, plan, answer: { claim }, limit }: Running,
  completion: Completion,
): Promise<boolean> {
  const complete = () => ledger.complete(claim, completion);
  const recorded = await untilAnswered(complete, limit, refusedForMs(plan, claim));
  if (recorded === 'settled') await tellSettled(claim.step);
  return recorded !== 'lost';
}

/** What the attempt recorded that has taken the step over. */
export async function heldByAnother(running: Running, begun: boolean): Promise<RecordedStep> {
  const { deps, plan, limit } = running;
  const { scope, step } = plan.claim;
  const held = await untilAnswered(() => deps.ledger.step(scope, step), limit);
  if (held?.state !== 'completed') throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
  if (begun) await noteLateEffect(running);
  return held;
}

/**
 * An attempt that had been given up may have had its effect after all, and another one too: that
 * cannot be undone, but it can be known.
 */
export async function noteLateEffect({ deps, answer, limit }: Running): Promise<void> {
  const { ledger, worker } = deps;
  const { scope, step, fence } = answer.claim;
  const message = `An attempt on ${worker} that had been given up went on: its effect may have happened twice.`;
  try {
    const held = await untilAnswered(() => ledger.step(scope, step), limit);
    // What a person said had happened, or what the next attempt found, is this attempt's own
    // effect, and no second one.
    const found = held?.knownBy === 'find' && Number(held.fence) === Number(fence) + 1;
    if (held?.state === 'completed' && (held.fence === fence || found)) return;
    const note = { code: 'step.late_effect', message };
    await untilAnswered(() => ledger.note(scope, step, note), limit);
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
