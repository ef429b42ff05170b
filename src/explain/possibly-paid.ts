import type { ExplainedStep, PossiblyPaid } from './explanation.ts';

/** Errors of attempts that were given up while the provider may have been answering. */
const GIVEN_UP = new Set(['model.timeout', 'step.timed_out', 'step.cancelled', 'step.interrupted']);

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
  return unknownAttempts + silent + errors.filter(({ code }) => GIVEN_UP.has(code)).length;
}

function roundUsd(costs: readonly number[]): number {
  return Math.round(costs.reduce((total, cost) => total + cost, 0) * 1e9) / 1e9;
}
