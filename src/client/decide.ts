import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { checkDecision } from '../contract/check-decision.ts';
import type { CountedDecision, DecisionInput, DecisionResult } from '../contract/decision.ts';
import { AgentOnceError, isErrorCode } from '../contract/errors.ts';
import { utf8Bytes } from '../contract/json.ts';
import { LIMITS } from '../contract/limits.ts';
import { DECIDE_UPDATE } from '../contract/names.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { getExecution } from './describe.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import { isOpen, questionsOf } from './view.ts';

const STEP = /^t[1-9]\d*\.c\d+$/;
/** A worker may have to replay the run, and the ledger may be away for a moment. */
const ANSWER_WITHIN_MS = 20_000;

/**
 * Answers a question of a run; the ledger takes one answer, whoever asks how often.
 *
 * @throws {AgentOnceError} `decision.invalid`, before anything is sent or by the worker; nothing was
 *   decided, and the run goes on waiting. `decision.conflict`, `decision.not_asked`,
 *   `run.not_found`, `run.still_running`
 */
export async function decideStep(
  context: ClientContext,
  run: RunIdentity,
  answer: DecisionInput,
): Promise<CountedDecision> {
  check(answer);
  const execution = await getExecution(context, run);
  if (!isOpen(execution)) throw ended(run);
  // Pinned here: sent again by a reset, the answer must not be to a later question.
  const asked = questionsOf(execution).find(({ step }) => step === answer.step);
  const named = { ...(asked ? { round: asked.round } : {}), ...answer };
  const handle = context.temporal.workflow.getHandle(run.workflowId);
  let result: DecisionResult;
  try {
    result = await context.temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      handle.executeUpdate<DecisionResult, [DecisionInput]>(DECIDE_UPDATE, { args: [named] }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw ended(run);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw unanswered(run);
    if (error instanceof WorkflowUpdateFailedError) {
      throw refusalOf(error) ?? ended(run);
    }
    throw asAgentOnceError(error, context.temporal);
  }
  const { outcome } = result;
  switch (outcome) {
    case 'conflict':
      throw conflict(answer, result);
    case 'none':
      throw notAsked(answer);
    case 'restored':
    case 'lost':
      throw questionLost(answer, result);
    default:
      return { ...result, outcome };
  }
}

function check(answer: DecisionInput): void {
  const { step, decision, result } = answer;
  if (!STEP.test(step)) {
    throw new AgentOnceError(
      'decision.invalid',
      'A step that can be decided is a tool call such as t2.c0: turn 2, call 0. Nothing was decided.',
    );
  }
  checkDecision(answer);
  if (result === undefined) return;
  if (decision !== 'happened') {
    throw new AgentOnceError(
      'decision.invalid',
      `A result says what the tool would have returned, so it goes with "happened" alone, not with "${decision}". Nothing was decided.`,
    );
  }
  if (utf8Bytes(JSON.stringify(result)) > LIMITS.inputBytes) {
    throw new AgentOnceError(
      'decision.invalid',
      'The result is over 1 MiB of JSON. Nothing was decided.',
    );
  }
}

/** What the worker said: the update failed in its validator, or in the activity that records. */
function refusalOf({ cause }: WorkflowUpdateFailedError): AgentOnceError | undefined {
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  if (!(failure instanceof ApplicationFailure) || !isErrorCode(failure.type)) return undefined;
  return new AgentOnceError(failure.type, failure.message);
}

function ended({ agent }: RunIdentity): AgentOnceError {
  return new AgentOnceError(
    'decision.not_asked',
    `The run of agent "${agent}" has ended, so nothing was decided. Resume it with the same request and --retry-failed: it asks again.`,
  );
}

function notAsked({ step }: DecisionInput): AgentOnceError {
  return new AgentOnceError(
    'decision.not_asked',
    `The run does not wait for a decision on ${step}, or not for this one. Nothing was decided.`,
  );
}

/** The ledger does not have what the run asked: it was restored, or is not the one. */
function questionLost(
  { step }: DecisionInput,
  { outcome, ledger }: DecisionResult,
): AgentOnceError {
  if (outcome === 'restored') {
    const lost = ledger === undefined ? '' : ` --lost ${ledger}`;
    return new AgentOnceError(
      'ledger.restored',
      `The workers' ledger is not the one that has the question about ${step}, or was closed when its runs moved to a copy, or an earlier state of it was restored. Nothing was decided, and the run goes on waiting. Have the workers use the ledger that has the question. Only if there is none any more, run "agent-once ledger accept-restore${lost}": the run asks again then.`,
    );
  }
  return new AgentOnceError(
    'decision.not_asked',
    `The ledger has lost the question about ${step}, since an earlier state of it was restored. Nothing was decided. The run asks again: see what it shows now, and decide anew.`,
  );
}

function conflict({ step, decision }: DecisionInput, standing: DecisionResult): AgentOnceError {
  return new AgentOnceError(
    'decision.conflict',
    `${standing.by} has already decided on ${step}, at ${standing.decidedAt}: ${standing.decision}. It stays so; "${decision}" was not recorded.`,
  );
}

function unanswered({ agent }: RunIdentity): AgentOnceError {
  return new AgentOnceError(
    'run.still_running',
    `No worker took the decision for the run of agent "${agent}" within ${ANSWER_WITHIN_MS / 1_000} s. It may yet be recorded. Start a worker and repeat it: the same decision twice is one.`,
  );
}
