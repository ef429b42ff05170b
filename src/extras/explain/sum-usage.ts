import type { Usage } from '../../contract/run.ts';
import { addUsage, NOTHING_USED } from '../../contract/step.ts';
import type { ExplainedStep, StepsUsage } from './explanation.ts';

/** What the recorded steps used. A cost that is not known makes the sum unknown, not smaller. */
export function sumUsage(steps: readonly ExplainedStep[]): StepsUsage {
  const begun = steps.filter(({ state }) => state !== 'planned');
  const done = steps.filter(({ state }) => state === 'completed');
  const answers = done.filter(({ kind }) => kind === 'model');
  const denied = done.filter(({ decision }) => decision === 'deny');
  return {
    turns: Math.max(0, ...begun.map(({ turn }) => turn)),
    modelCalls: answers.length,
    toolCalls: done.length - answers.length - denied.length,
    deniedCalls: denied.length,
    ...steps.filter(usesModel).reduce((sum, { usage }) => addUsage(sum, usage), NOTHING_USED),
  };
}

/** Whether a step has used a model, whatever came of it. */
export function usesModel({ kind, state, unusableAnswers }: ExplainedStep): boolean {
  return kind === 'model' && (state === 'completed' || unusableAnswers > 0);
}

/**
 * Where a run reports another usage than its steps have. Turns are left out, since a run counts those
 * that it only began; a denied call, which the model was given an answer to, is a call to the run.
 */
export function usageDiffers(steps: StepsUsage, reported: Usage): boolean {
  if (steps.toolCalls + steps.deniedCalls !== reported.toolCalls) return true;
  return (['modelCalls', 'inputTokens', 'outputTokens', 'costUsd'] as const).some(
    (field) => steps[field] !== reported[field],
  );
}
