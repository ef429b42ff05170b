import type { ExplainedStep, PossiblyPaid } from './explanation.ts';

/** Errors of attempts that the provider may have answered, or had begun to: an answer is paid. */
const MAY_BE_PAID = new Set([
  'model.timeout',
  'model.broken_off',
  'model.bad_answer',
  'model.truncated',
  'model.refused',
  'output.too_large',
  'step.timed_out',
  'step.cancelled',
  'step.interrupted',
]);

/** Calls to models that may have been paid for, though no answer of theirs was recorded. */
export function possiblyPaid(steps: readonly ExplainedStep[]): PossiblyPaid {
  const found = steps
    .filter(({ kind }) => kind === 'model')
    .map((step) => ({ step, calls: unansweredCalls(step) }))
    .filter(({ calls }) => calls > 0);
  const costs = found.map(({ step, calls }) => {
    const each = step.usage?.costUsd ?? null;
    return each === null ? null : each * calls;
  });
  return {
    calls: found.reduce((total, { calls }) => total + calls, 0),
    steps: found.map(({ step }) => step.id),
    costUsd: costs.every((cost) => cost !== null) ? roundUsd(costs) : null,
  };
}

/** Attempts of a model step that ended without an answer, and may have been given one. */
function unansweredCalls({ state, leaseLeftMs, unknownAttempts, errors }: ExplainedStep): number {
  const silent = state === 'claimed' && leaseLeftMs !== null && leaseLeftMs <= 0 ? 1 : 0;
  return unknownAttempts + silent + errors.filter(({ code }) => MAY_BE_PAID.has(code)).length;
}

function roundUsd(costs: readonly number[]): number {
  return Math.round(costs.reduce((total, cost) => total + cost, 0) * 1e9) / 1e9;
}
