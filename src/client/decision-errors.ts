import type { Decision, DecisionResult } from '../contract/decision.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { oneLine } from '../contract/plain-text.ts';

/** @param completed it asks nothing any more, and cannot be resumed */
export function ended(agent: string, completed = false): AgentOnceError {
  const more = ' If it failed, resume it (agent-once resume): it asks again where it must.';
  return new AgentOnceError(
    'decision.not_asked',
    `The run of agent "${agent}" has ended, so nothing was decided.${completed ? '' : more}`,
  );
}

/** Nobody asks it, or the ledger does not have what the run asked: it was restored, or is not the one. */
export function notTaken(
  step: string,
  { outcome, ledger }: DecisionResult & { outcome: 'none' | 'restored' | 'lost' },
): AgentOnceError {
  const lost = ledger === undefined ? '' : ` --lost ${ledger}`;
  switch (outcome) {
    case 'none':
      return new AgentOnceError(
        'decision.not_asked',
        `The run does not wait for a decision on ${step}, or not for this one. Nothing was decided.`,
      );
    case 'restored':
      return new AgentOnceError(
        'ledger.restored',
        `The workers' ledger is not the one that has the question about ${step}, or was closed when its runs moved to a copy, or an earlier state of it was restored. Nothing was decided, and the run goes on waiting. Have the workers use the ledger that has the question. Only if there is none any more, run "agent-once ledger accept-restore${lost}": the run asks again then.`,
      );
    case 'lost':
      return new AgentOnceError(
        'decision.not_asked',
        `The ledger has lost the question about ${step}, since an earlier state of it was restored. Nothing was decided. The run asks again: see what it shows now, and decide anew.`,
      );
  }
}

/**
 * What was decided on a step before, and that it stays.
 *
 * @param standing as the ledger has it
 */
export function decisionConflict(
  step: string,
  decision: Decision,
  standing: Pick<DecisionResult, 'decision' | 'by' | 'decidedAt' | 'approved'>,
): AgentOnceError {
  // Whoever decided chose their name: it must not look like a line of ours.
  const by = oneLine(standing.by ?? 'somebody');
  const lost = standing.decision === decision ? NOT_THESE[decision] : `"${decision}"`;
  return new AgentOnceError(
    'decision.conflict',
    `${by} has already decided on ${step}, at ${standing.decidedAt}: ${standing.decision}${standing.approved === undefined ? '' : `, with these arguments: ${oneLine(standing.approved)}`}. It stays so; ${lost} was not recorded.`,
  );
}

/** What the same decision can differ in. */
const NOT_THESE: Partial<Record<Decision, string>> = {
  approve: 'your approval, of other arguments,',
  happened: 'the result that you gave',
};

/** An approval with other arguments, of a run whose worker does not know of them. */
export function earlierVersion(agent: string): AgentOnceError {
  return new AgentOnceError(
    'decision.invalid',
    `The worker that has the run of agent "${agent}" is of an earlier version, which cannot change a call's arguments. Nothing was decided. Deploy workers of this version, and move the run to them where they are versioned; or approve the call as it is, or deny it.`,
  );
}
