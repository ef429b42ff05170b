import { printable } from '../../cli/output.ts';
import { labelOf } from '../../cli/show-run.ts';
import type { ExplainedStep } from './explanation.ts';

/** Longest list. */
const MOST = 6;

/** Steps inside a sentence; of many, the first few. */
export function listSteps(steps: readonly ExplainedStep[]): string {
  const shown = steps.slice(0, MOST).map(labelOf);
  if (steps.length > MOST) shown.push(`${steps.length - MOST} more`);
  const list =
    shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
  return printable(list);
}

/** A line that says something of steps; none where there are none. */
export function lineOf(what: string, steps: readonly ExplainedStep[]): string[] {
  return steps.length === 0 ? [] : [`${what}: ${listSteps(steps)}`];
}
