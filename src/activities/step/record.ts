import { AgentOnceError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { KnownBy, StepUsage } from '../../contract/step.ts';
import type { Claim, Completion, RecordedStep } from '../../ledger/port.ts';
import type { ActivityDeps } from '../deps.ts';
import { noteLateEffect, tellSettled } from './late.ts';
import { CLAIM_LOST } from './lease.ts';
import { refusedForMs, untilAnswered } from './until-answered.ts';
import type { StepPlan } from './work.ts';

export interface StepOutcome {
  result: JsonValue;
  resultBytes: number | null;
  /** Of all its answers; `null`: not known, or not of a kind that uses any. */
  usage: StepUsage | null;
  knownBy: KnownBy;
  /** See `Completion`; `null`: the step's own. */
  sharedWith: string | null;
  attempts: number;
  /** Attempts that ended without a recorded result. */
  unknownAttempts: number;
  /** Identity of the ledger that has the result. */
  ledger: string;
}

/**
 * Records the result of an effect that has happened, whoever has cancelled or stopped what meanwhile,
 * and however long the database is away. Only the attempt's time ends this; then the lease runs out.
 * A worker that is refused leaves it to another one when its lease is over.
 *
 * @returns `false` when another attempt has taken the step over
 */
export async function recordResult(
  { ledger }: ActivityDeps,
  plan: StepPlan,
  claim: Claim,
  completion: Completion,
  limit: AbortSignal,
): Promise<boolean> {
  const complete = () => ledger.complete(claim, completion);
  const recorded = await untilAnswered(complete, limit, refusedForMs(plan, claim));
  if (recorded === 'settled') await tellSettled(claim.step);
  return recorded !== 'lost';
}

/** What the attempt recorded that has taken the step over. */
export async function heldByAnother(
  deps: ActivityDeps,
  claim: Claim,
  begun: boolean,
  limit: AbortSignal,
): Promise<RecordedStep> {
  const held = await untilAnswered(() => deps.ledger.step(claim.scope, claim.step), limit);
  if (held?.state !== 'completed') throw new AgentOnceError('step.claim_lost', CLAIM_LOST);
  if (begun) await noteLateEffect(deps, claim, limit);
  return held;
}

export function fromLedger(record: RecordedStep, ledger: string): StepOutcome {
  const { result, resultBytes, inputTokens, outputTokens, costUsd, attempts } = record;
  return {
    result,
    resultBytes,
    usage:
      inputTokens === null || outputTokens === null ? null : { inputTokens, outputTokens, costUsd },
    knownBy: record.knownBy ?? 'ledger',
    sharedWith: record.sharedWith,
    attempts,
    unknownAttempts: record.unknownAttempts,
    ledger,
  };
}
