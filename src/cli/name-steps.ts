import type { ExplainedStep } from '../explain/explanation.ts';
import { listSteps } from '../explain/step-title.ts';
import { printable } from './output.ts';

/** A line that names steps; none where there are none. */
export function named(what: string, steps: readonly ExplainedStep[]): string[] {
  return steps.length === 0 ? [] : [`${what}: ${printable(listSteps(steps))}`];
}
