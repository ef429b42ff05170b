import { NOTHING_USED, type StepUsage } from '../contract/step.ts';
import type { ClaimAnswer, StepClaim } from './claims.ts';
import type { HeldStep } from './reader.ts';

type Usage = Pick<HeldStep, 'unusableAnswers' | 'inputTokens' | 'outputTokens' | 'costUsd'>;

/** What a backend decided about a claim that met a row. */
export type ClaimDecision = 'claimed' | 'completed' | 'busy' | 'diverged' | 'exhausted' | 'unknown';

/** The row as the claim has left it. */
export type MetStep = Omit<
  HeldStep,
  'scope' | 'step' | 'turn' | 'kind' | 'name' | 'effect' | 'state' | 'workflowId' | 'runId'
> & { before?: string | null };

/** @param ledger identity of the ledger */
export function answerClaim(
  decision: ClaimDecision,
  row: MetStep,
  { scope, step, leaseMs, lease, maximumAttempts }: StepClaim,
  ledger: string,
): ClaimAnswer {
  const worker = row.worker ?? '';
  switch (decision) {
    case 'claimed':
      return {
        state: 'claimed',
        claim: {
          scope,
          step,
          fence: row.fence,
          leaseMs,
          ...(lease ? { lease: lease.id } : {}),
        },
        attempt: row.runAttempts,
        last: row.runAttempts >= maximumAttempts,
        attempts: row.attempts,
        unknownAttempts: row.unknownAttempts,
        request: row.request,
        round: row.round,
        spent: spentOn(row),
        asking: row.asking,
        ledger,
        before: row.before ?? undefined,
      };
    case 'completed':
      return { state: 'completed', record: row, ledger };
    case 'busy':
      return {
        state: 'busy',
        retryAfterMs: Math.max(1, Math.ceil(row.leaseLeftMs ?? 0)),
        worker,
      };
    case 'diverged':
      return { state: 'diverged' };
    case 'exhausted':
      return {
        state: 'exhausted',
        attempts: row.runAttempts,
        error: row.errors.at(-1) ?? null,
        spent: spentOn(row),
      };
    case 'unknown': {
      // An attempt that threw has an end; one that died has none.
      const error = row.endedAt === null ? null : (row.errors.at(-1) ?? null);
      const { fence, claimedAt } = row;
      return { state: 'unknown', attempt: { fence, worker, claimedAt: claimedAt ?? '', error } };
    }
  }
}

/** What a step's unusable answers used: nothing without any. */
export function spentOn(row: Usage): StepUsage {
  if (row.unusableAnswers === 0) return NOTHING_USED;
  const { inputTokens, outputTokens, costUsd } = row;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, costUsd };
}
