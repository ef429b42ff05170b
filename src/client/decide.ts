import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { checkDecision } from '../contract/check-decision.ts';
import {
  takes,
  type CountedDecision,
  type DecisionInput,
  type DecisionResult,
  type ToldDecision,
} from '../contract/decision.ts';
import { AgentOnceError, isErrorCode } from '../contract/errors.ts';
import { utf8Bytes } from '../contract/json.ts';
import { LIMITS } from '../contract/limits.ts';
import { DECIDE_UPDATE } from '../contract/names.ts';
import type { RunStatus } from '../contract/run.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { decisionConflict } from './decision-conflict.ts';
import { getExecution } from './describe.ts';
import { questionsAbout } from './questions-about.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import { isOpen, questionsOf, scopeOf, statusOf } from './view.ts';

const STEP = /^t[1-9]\d*\.c\d+$/;
/** A worker may have to replay the run, and the ledger may be away for a moment. */
const ANSWER_WITHIN_MS = 20_000;

/**
 * Looks in the ledger what became of a decision on a step of a scope; `undefined`: nothing. A run
 * tells it only while it goes on and a worker has time for it.
 *
 * @throws {AgentOnceError} `ledger.…`: nobody knows
 */
export type LookUpDecision = (
  scope: string,
  answer: DecisionInput,
) => Promise<ToldDecision | undefined>;

/** How a decision is made. */
export interface DecideOptions {
  /**
   * The execution whose question was shown to whoever decides: another one that has the key by now
   * asks about something else.
   */
  runId?: string | undefined;
  /** Absent: a decision that counted is not known any more when its run has ended, or no worker answers. */
  lookUp?: LookUpDecision;
}

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
  { runId, lookUp }: DecideOptions = {},
): Promise<CountedDecision> {
  check(answer);
  const execution = await getExecution(context, run);
  // Pinned here: sent again by a reset, the answer must not be to a later question.
  const questions = isOpen(execution)
    ? await questionsAbout(context, run, execution, answer)
    : questionsOf(execution);
  const asked = questions.find(
    ({ step, kind }) => step === answer.step && takes(kind, answer.decision),
  );
  const named = { ...(asked ? { round: asked.round } : {}), ...answer };
  let result: ToldDecision;
  try {
    if (runId !== undefined && runId !== execution.runId) throw ofAnother(run, answer);
    result = await send(context, run, execution, named);
  } catch (error) {
    // No run has said what became of it. It may have counted: this time, with the answer lost on
    // the way or late, or before.
    const known = await lookUp?.(scopeOf(execution), named);
    if (!known) throw error;
    result = known;
  }
  if (result.outcome === 'conflict') {
    throw decisionConflict(answer.step, answer.decision, result);
  }
  return result;
}

async function send(
  context: ClientContext,
  run: RunIdentity,
  execution: WorkflowExecutionDescription,
  answer: DecisionInput,
): Promise<ToldDecision> {
  if (!isOpen(execution)) throw ended(run, statusOf(execution));
  // Of this execution alone: the key may be forgotten and have another run in the next moment.
  const handle = context.temporal.workflow.getHandle(run.workflowId, execution.runId);
  let result: DecisionResult;
  try {
    result = await context.temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      handle.executeUpdate<DecisionResult, [DecisionInput]>(DECIDE_UPDATE, { args: [answer] }),
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
  if (outcome === 'none') throw notAsked(answer);
  if (outcome === 'restored' || outcome === 'lost') throw questionLost(answer, result);
  return { ...result, outcome };
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

/** @param status where it is known */
function ended({ agent }: RunIdentity, status?: RunStatus): AgentOnceError {
  // One that has completed asks nothing any more, and cannot be resumed.
  const more =
    status === 'completed'
      ? ''
      : ' If it failed, resume it (agent-once resume): it asks again where it must.';
  return new AgentOnceError(
    'decision.not_asked',
    `The run of agent "${agent}" has ended, so nothing was decided.${more}`,
  );
}

function ofAnother({ agent }: RunIdentity, { step }: DecisionInput): AgentOnceError {
  return new AgentOnceError(
    'decision.not_asked',
    `Another execution of agent "${agent}" has the key than the one whose question about ${step} was answered: it was resumed, or forgotten and begun anew. Nothing was decided. See what it asks now, and decide anew.`,
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

function unanswered({ agent }: RunIdentity): AgentOnceError {
  return new AgentOnceError(
    'run.still_running',
    `No worker took the decision for the run of agent "${agent}" within ${ANSWER_WITHIN_MS / 1_000} s. It may yet be recorded. Start a worker and repeat it: the same decision twice is one.`,
  );
}
