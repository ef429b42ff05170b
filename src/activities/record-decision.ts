import type { DecisionResult, RecordDecisionInput } from '../contract/decision.ts';
import type { ActivityDeps } from './deps.ts';
import { failStep, judge } from './failures.ts';

/** The `recordDecision` activity: writes a person's answer into the ledger, once. */
export async function recordDecision(
  { ledger }: ActivityDeps,
  { scope, answer }: RecordDecisionInput,
): Promise<DecisionResult> {
  try {
    return await ledger.decide(scope, answer);
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
}
