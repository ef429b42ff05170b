import { CALL_MODEL, toolActivity } from './names.ts';
import { modelStep, toolStep, type StepRun, type ToolStepInput } from './step.ts';

/** Which step an activity is, by its type and its argument; `undefined`: none of an agent's run. */
export function stepOfActivity(
  activityType: string,
  argument: unknown,
): { run: StepRun; turn: number; step: string } | undefined {
  const { run, turn, index } = (argument ?? {}) as Partial<ToolStepInput>;
  if (typeof run?.scope !== 'string' || typeof turn !== 'number') return undefined;
  if (activityType === CALL_MODEL) return { run, turn, step: modelStep(turn) };
  const isTool = activityType.startsWith(toolActivity('')) && typeof index === 'number';
  return isTool ? { run, turn, step: toolStep(turn, index) } : undefined;
}
