import type { Decision } from '../contract/decision.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { oneLine } from '../contract/plain-text.ts';

/** What stands of an answer: as the ledger has it. */
interface Standing {
  decision: Decision | null;
  by: string | null;
  decidedAt: string | null;
}

/** `decision.conflict`: what was decided on a step before, and that it stays. */
export function decisionConflict(
  step: string,
  decision: Decision,
  standing: Standing,
): AgentOnceError {
  // Whoever decided chose their name: it must not look like a line of ours.
  const by = oneLine(standing.by ?? 'somebody');
  const lost = standing.decision === decision ? 'the result that you gave' : `"${decision}"`;
  return new AgentOnceError(
    'decision.conflict',
    `${by} has already decided on ${step}, at ${standing.decidedAt}: ${standing.decision}. It stays so; ${lost} was not recorded.`,
  );
}
