import { checkDecision } from '../contract/check-decision.ts';
import {
  takes,
  type DecisionInput,
  type DecisionResult,
  type RecordDecisionInput,
} from '../contract/decision.ts';
import type { Ledger } from '../ledger/port.ts';
import type { ActivityDeps } from './deps.ts';
import { failStep, judge } from './failures.ts';

/** The `recordDecision` activity: writes a person's answer into the ledger, once. */
export async function recordDecision(
  { ledger }: ActivityDeps,
  { scope, answer }: RecordDecisionInput,
): Promise<DecisionResult> {
  try {
    // Refused for good: the ledger would not take it however often it is sent, and whoever decided
    // waits for a word. The question stays open.
    checkDecision(answer);
    const round = answer.round ?? (await roundAnswered(ledger, scope, answer));
    return round === undefined ? NOT_ASKED : await ledger.decide(scope, { ...answer, round });
  } catch (error) {
    throw failStep(judge(error, 'step.failed'));
  }
}

const NOT_ASKED: DecisionResult = { outcome: 'none', decision: null, by: null, decidedAt: null };

/**
 * An answer that names no question can only repeat one that stands: a reset delivers old answers
 * again, and they must not answer what has been asked since.
 */
async function roundAnswered(
  ledger: Ledger,
  scope: string,
  { step, decision }: DecisionInput,
): Promise<number | undefined> {
  const latest = (await ledger.questions(scope)).findLast(
    (question) => question.step === step && takes(question.kind, decision),
  );
  return latest === undefined || latest.decision === null ? undefined : latest.round;
}
