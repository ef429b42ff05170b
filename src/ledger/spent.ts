import { NOTHING_USED, type StepUsage } from '../contract/step.ts';

/** A step's usage as its row has it. */
export interface UsageColumns {
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: number | null;
}

/** What a step's unusable answers used: in round 0 there is none, and later `null` is not known. */
export function spentInRounds(
  round: number,
  { inputTokens, outputTokens, costUsd }: UsageColumns,
): StepUsage {
  if (round === 0) return NOTHING_USED;
  if (inputTokens === null || outputTokens === null) return { ...NOTHING_USED, costUsd: null };
  return { inputTokens, outputTokens, costUsd };
}
