import type { StepError } from '../../ledger/port.ts';
import type { ExplainedStep, PossiblyPaid } from './explanation.ts';

/** Errors of attempts that the provider may have answered, or had begun to: an answer is paid. */
const MAY_BE_PAID = new Set([
  'model.timeout',
  'model.broken_off',
  'model.response_lost',
  'step.timed_out',
  'step.cancelled',
  'step.interrupted',
]);

/** Errors of answers that came. What they used is counted in their step, but in old ones. */
const ANSWERED = new Set([
  'model.bad_answer',
  'model.incomplete',
  'model.truncated',
  'model.refused',
  'model.answer_too_large',
  'output.too_large',
]);

/** Whether the provider may have charged for an attempt of a model step that failed so. */
export function mayBePaidFor({ code, mayBePaid }: Pick<StepError, 'code' | 'mayBePaid'>): boolean {
  return mayBePaid === true || MAY_BE_PAID.has(code);
}

/** Calls to models that may have been paid for, though no answer of theirs was recorded. */
export function possiblyPaid(steps: readonly ExplainedStep[]): PossiblyPaid {
  const found = steps
    .filter(({ kind }) => kind === 'model')
    .map((step) => ({ step, calls: unansweredCalls(step) }))
    .filter(({ calls }) => calls > 0);
  const costs = found.map(({ step, calls }) => {
    const each = costOfOne(step);
    return each === null ? null : each * calls;
  });
  return {
    calls: found.reduce((total, { calls }) => total + calls, 0),
    steps: found.map(({ step }) => step.id),
    costUsd: costs.every((cost) => cost !== null) ? roundUsd(costs) : null,
  };
}

/** About what one answer to a step costs: the mean of those that are known. */
export function costOfOne({ usage, state, unusableAnswers }: ExplainedStep): number | null {
  const answers = unusableAnswers + (state === 'completed' ? 1 : 0);
  const cost = usage?.costUsd ?? null;
  return cost === null || answers === 0 ? null : roundUsd([cost / answers]);
}

/** Attempts of a model step that ended without an answer, and may have been given one. */
function unansweredCalls(step: ExplainedStep): number {
  const { state, leaseLeftMs, isPending, unknownAttempts, errors, unusableAnswers } = step;
  const silent =
    state === 'claimed' && leaseLeftMs !== null && leaseLeftMs <= 0 && !isPending ? 1 : 0;
  const answered = errors.filter(({ code }) => ANSWERED.has(code)).length;
  return (
    unknownAttempts +
    silent +
    errors.filter(mayBePaidFor).length +
    Math.max(0, answered - unusableAnswers)
  );
}

function roundUsd(costs: readonly number[]): number {
  return Math.round(costs.reduce((total, cost) => total + cost, 0) * 1e9) / 1e9;
}
