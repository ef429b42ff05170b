import { NOTHING_USED, type StepUsage } from '../contract/step.ts';

/** A step's usage as its row has it. */
export interface UsageColumns {
  inputTokens: number | null;
  outputTokens: number | null;
  costUsd: number | null;
}

/** What a step's unusable answers used. Without any there is nothing; `null` is not known. */
export function spentOn(
  unusableAnswers: number,
  { inputTokens, outputTokens, costUsd }: UsageColumns,
): StepUsage {
  if (unusableAnswers === 0) return NOTHING_USED;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, costUsd };
}
