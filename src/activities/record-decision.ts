import { checkDecision } from '../contract/check-decision.ts';
import {
  THE_DEADLINE,
  isAnswerTo,
  type DecisionInput,
  type DecisionResult,
  type RecordDecisionInput,
} from '../contract/decision.ts';
import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import { cutToBytes } from '../contract/text-bytes.ts';
import type { Ledger } from '../ledger/port.ts';
import type { ActivityDeps } from './deps.ts';
import { editedCall, editedSummary, toolOf } from './tool/edited-call.ts';
import { refusalOf, standsIn, whyNotAsked, type RestoredAnswer } from './step/restored.ts';

/** The `recordDecision` activity: writes a person's answer into the ledger, once. */
export async function recordDecision(
  deps: ActivityDeps,
  { scope, answer, asked }: RecordDecisionInput,
): Promise<DecisionResult> {
  const { ledger } = deps;
  // Refused for good: the ledger would not take it however often it is sent, and whoever decided
  // waits for a word. The question stays open.
  checkDecision(answer);
  const refusal = asked && (await whyNotAsked(ledger, asked.ledger));
  if (refusal) return restored(answer, refusal, asked.ledger);
  const round = answer.round ?? (await roundAnswered(ledger, scope, answer));
  const result = round === undefined ? NOT_ASKED : await decide(deps, scope, { ...answer, round });
  if (result.outcome !== 'none' || asked === undefined) return result;
  if (await isAsked(ledger, scope, answer)) return result;
  return await questionLost(ledger, answer, asked.ledger);
}

/** Has the ledger take the answer, with other arguments where it brings some. */
async function decide(
  deps: ActivityDeps,
  scope: string,
  { arguments: args, ...answer }: DecisionInput,
): Promise<DecisionResult> {
  const { ledger } = deps;
  if (args === undefined) {
    const result = await ledger.decide(scope, answer);
    return withApproved(deps, scope, answer.step, result);
  }
  const step = await ledger.step(scope, answer.step);
  if (!step) return NOT_ASKED;
  const edited = await editedCall(toolOf(deps, step.name), args);
  const result = await ledger.decide(scope, { ...answer, edited });
  return withApproved(deps, scope, answer.step, result, true);
}

/** Adds what was approved, for whoever changed it, and for whoever wanted something else. */
async function withApproved(
  deps: ActivityDeps,
  scope: string,
  name: string,
  result: DecisionResult,
  isEdit = false,
): Promise<DecisionResult> {
  const { decision, outcome } = result;
  if (decision !== 'approve' || (!isEdit && outcome !== 'conflict')) return result;
  const step = await deps.ledger.step(scope, name);
  if (!step || step.askedDigest === null) return result;
  const tool = deps.agents.tools().find((each) => each.name === step.name);
  const summary = tool && (await editedSummary(tool, step));
  const approved = cutToBytes(JSON.stringify(step.request), LIMITS.previewBytes, ' …');
  return { ...result, approved, ...defined({ summary }) };
}

/**
 * The run has asked this question, and the ledger does not know it: it was restored, or is another
 * one. The question is asked again once a person has accepted that.
 *
 * @param seen identity of the ledger that the run knows
 */
async function questionLost(
  ledger: Ledger,
  answer: DecisionInput,
  seen: string | undefined,
): Promise<DecisionResult> {
  const here = await ledger.identity();
  if (standsIn(here, seen)) return { ...NOT_ASKED, outcome: 'lost' };
  const lost = { state: 'restored', lacks: 'records', ledger: here.id, accepted: false } as const;
  return restored(answer, lost, seen);
}

/** @throws {AgentOnceError} `ledger.restored`, for an answer that no person waits for the fate of */
function restored({ by }: DecisionInput, why: RestoredAnswer, seen?: string): DecisionResult {
  if (by === THE_DEADLINE) {
    const { code, message } = refusalOf(why, seen);
    throw new AgentOnceError(code, message);
  }
  const other = why.lacks === 'all' && seen !== undefined ? { ledger: seen } : {};
  return { ...NOT_ASKED, outcome: 'restored', ...other };
}

/** Whether the ledger has the question that a run waits for; an answer may name none. */
async function isAsked(ledger: Ledger, scope: string, { step, round, decision }: DecisionInput) {
  const questions = await ledger.questions(scope);
  return questions.some(
    (one) =>
      one.step === step && (round ?? one.round) === one.round && isAnswerTo(one.kind, decision),
  );
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
    (question) => question.step === step && isAnswerTo(question.kind, decision),
  );
  return latest === undefined || latest.decision === null ? undefined : latest.round;
}
