import type { ExplainedStep } from './explanation.ts';
import { listSteps } from '../../cli/step-title.ts';
import { printable } from '../../cli/output.ts';

/** A line that names steps; none where there are none. */
export function named(what: string, steps: readonly ExplainedStep[]): string[] {
  return steps.length === 0 ? [] : [`${what}: ${printable(listSteps(steps))}`];
}
