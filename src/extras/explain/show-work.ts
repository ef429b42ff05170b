import type { ExplainedStep, PublicExplanation } from './explanation.ts';
import { lineOf } from './list-steps.ts';
import { drawCalls } from '../../cli/show-run.ts';

/** What the run did: calls that ended well, and what became of the others. */
export function drawWork(explanation: PublicExplanation): string | null {
  const { usage, reportedUsage, steps } = explanation;
  const used = usage ?? reportedUsage;
  if (!used) return null;
  if (!steps || steps.length === 0) return drawCalls(used);
  const begun = steps.filter(({ state }) => state !== 'planned').length;
  const attempts = steps.reduce((total, step) => total + step.attempts, 0);
  return [
    drawCalls({ ...used, turns: finishedTurns(steps, explanation) }),
    ...drawOthers(steps, explanation),
    ...(attempts > begun ? [`${attempts} attempts of all steps`] : []),
  ].join(' · ');
}

/** Effects of which nobody knows yet whether they happened. */
export function drawUnsure({ steps }: PublicExplanation): string | null {
  const unsure = (steps ?? []).filter((step) => step.happened === 'maybe' && !isHeld(step));
  return lineOf('whether this happened', unsure)[0] ?? null;
}

function drawOthers(
  steps: readonly ExplainedStep[],
  { closedAt, waiting }: PublicExplanation,
): string[] {
  const asks = ({ id }: ExplainedStep) => waiting.some(({ step }) => step === id);
  const left = steps.filter(
    (step) => step.state !== 'completed' && step.state !== 'planned' && !asks(step),
  );
  const goesOn = (step: ExplainedStep) => closedAt === null || isHeld(step);
  // What may have happened stands under "unsure".
  const undone = left.filter((step) => !goesOn(step) && step.happened !== 'maybe');
  const denied = steps.filter(({ decision }) => decision === 'deny');
  return [
    ...lineOf('denied', denied),
    ...lineOf('waits', steps.filter(asks)),
    ...lineOf('under way', left.filter(goesOn)),
    ...lineOf('not done', undone),
  ];
}

/** Turns of which every call was answered. The last one of a run that goes on is not over. */
function finishedTurns(
  steps: readonly ExplainedStep[],
  { closedAt, error }: PublicExplanation,
): number {
  const turns = [...new Set(steps.map(({ turn }) => turn))];
  return turns.filter((turn, at) => {
    const own = steps.filter((step) => step.turn === turn);
    // A model's answer alone ends a run that ends well, and no other.
    const over = closedAt !== null && (error === null || own.some(({ kind }) => kind === 'tool'));
    return own.every(({ state }) => state === 'completed') && (at < turns.length - 1 || over);
  }).length;
}

/** Whether an attempt has the step now. */
function isHeld({ state, leaseLeftMs }: ExplainedStep): boolean {
  return state === 'claimed' && (leaseLeftMs ?? 0) > 0;
}
