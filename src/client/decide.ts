import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { checkDecision } from '../contract/check-decision.ts';
import {
  isAnswerTo,
  THE_DEADLINE,
  type CountedDecision,
  type DecisionInput,
  type DecisionResult,
  type OpenQuestion,
  type ToldDecision,
} from '../contract/decision.ts';
import { AgentOnceError, isErrorCode } from '../contract/errors.ts';
import { utf8Bytes } from '../contract/json.ts';
import { LIMITS } from '../contract/limits.ts';
import { APPROVE_EDITED_UPDATE, DECIDE_UPDATE } from '../contract/names.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { decisionConflict, earlierVersion, ended, notTaken } from './decision-errors.ts';
import { findExecution, getExecution, successorOf } from './describe.ts';
import { readState } from './live-state.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import { firstRunIdOf, isOpen, isShortened, questionsOf, scopeOf, statusOf } from './view.ts';

const STEP = /^t[1-9]\d*\.c\d+$/;
/** A worker may have to replay the run, and the ledger may be away for a moment. */
const ANSWER_WITHIN_MS = 20_000;
/** Of a worker that may have to replay the run before it says what the run asks. */
const STATE_TRIES = 3;

/** How a decision is made. */
export interface DecideOptions {
  /**
   * The execution whose question was shown to whoever decides: another run that has the key by now
   * asks about something else.
   */
  runId?: string | undefined;
  /**
   * Looks in the ledger what became of a decision on a step of a scope; `undefined`: nothing. A run
   * tells it only while it goes on and a worker has time for it. Throws `ledger.…`: nobody knows.
   */
  lookUp?: (scope: string, answer: DecisionInput) => Promise<ToldDecision | undefined>;
}

/** See `AgentOnceClient.decide`. The ledger takes one answer, whoever asks how often. */
export async function decideStep(
  context: ClientContext,
  run: RunIdentity,
  answer: DecisionInput,
  { runId, lookUp }: DecideOptions = {},
): Promise<CountedDecision> {
  check(answer);
  const execution = await getExecution(context, run);
  const questions = await questionsAbout(context, run, execution, answer);
  const asked = questions.find(
    ({ step, kind }) => step === answer.step && isAnswerTo(kind, answer.decision),
  );
  // Pinned here: sent again by a reset, the answer must not be to a later question.
  const named = { ...(asked ? { round: asked.round } : {}), ...answer };
  let result: ToldDecision;
  try {
    if (runId !== undefined && !(await isOfTheSameRun(context, run, execution, runId))) {
      throw new AgentOnceError(
        'decision.not_asked',
        `Another execution of agent "${run.agent}" has the key than the one whose question about ${answer.step} was answered: it was resumed, or forgotten and begun anew. Nothing was decided. See what it asks now, and decide anew.`,
      );
    }
    result = await send(context, run, execution, named);
  } catch (error) {
    // No run has said what became of it. It may have counted: this time, with the answer lost on
    // the way or late, or before.
    const known = await lookUp?.(scopeOf(execution), named);
    if (!known) throw error;
    result = known;
  }
  if (result.outcome === 'conflict') throw decisionConflict(answer.step, answer.decision, result);
  return result;
}

/**
 * The open questions among which an answer finds the one that it is to. A worker is asked only where
 * the memo may leave that one out, and the answer does not name it.
 */
async function questionsAbout(
  context: ClientContext,
  { agent, workflowId }: RunIdentity,
  execution: WorkflowExecutionDescription,
  { step, round }: DecisionInput,
): Promise<OpenQuestion[]> {
  const shown = questionsOf(execution);
  const known = round !== undefined || shown.some((question) => question.step === step);
  if (known || !isShortened(execution)) return shown;
  for (let tried = 0; tried < STATE_TRIES; tried++) {
    const state = await readState(context, workflowId);
    if (state) return state.waiting;
  }
  throw new AgentOnceError(
    'run.still_running',
    `The run of agent "${agent}" has more questions than can be read without a worker, and none answered. Nothing was decided. Start a worker and repeat it.`,
  );
}

/** Whether an execution is the one named, or what it has continued as. */
async function isOfTheSameRun(
  context: ClientContext,
  run: RunIdentity,
  execution: WorkflowExecutionDescription,
  runId: string,
): Promise<boolean> {
  if (runId === execution.runId) return true;
  const shown = await findExecution(context, run.workflowId, runId);
  return (
    shown?.status.name === 'CONTINUED_AS_NEW' && firstRunIdOf(shown) === firstRunIdOf(execution)
  );
}

async function send(
  context: ClientContext,
  run: RunIdentity,
  execution: WorkflowExecutionDescription,
  answer: DecisionInput,
): Promise<ToldDecision> {
  const { temporal } = context;
  const { agent, workflowId } = run;
  if (!isOpen(execution)) throw ended(agent, statusOf(execution) === 'completed');
  // Of this run alone, which may continue as new meanwhile: the key may be forgotten and have another
  // run in the next moment.
  const handle = temporal.workflow.getHandle(workflowId, undefined, {
    firstExecutionRunId: firstRunIdOf(execution),
  });
  let result: DecisionResult;
  try {
    result = await temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
      handle.executeUpdate<DecisionResult, [DecisionInput]>(updateFor(answer), { args: [answer] }),
    );
  } catch (error) {
    const refused = error instanceof WorkflowUpdateFailedError ? refusalOf(error) : undefined;
    if (refused) throw refused;
    if (answer.arguments !== undefined && isUnknownUpdate(error)) throw earlierVersion(agent);
    if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) {
      // If it ended in this very moment by continuing as new, the answer is to what goes on.
      const next = await successorOf(context, run, execution);
      if (next) return send(context, run, next, answer);
      throw ended(agent);
    }
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) {
      throw asAgentOnceError(error, temporal);
    }
    throw new AgentOnceError(
      'run.still_running',
      `No worker took the decision for the run of agent "${agent}" within ${ANSWER_WITHIN_MS / 1_000} s. It may yet be recorded. Start a worker and repeat it: the same decision twice is one.`,
    );
  }
  const { outcome } = result;
  if (outcome === 'none' || outcome === 'restored' || outcome === 'lost') {
    throw notTaken(answer.step, { ...result, outcome });
  }
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
  if (answer.by === THE_DEADLINE) {
    throw new AgentOnceError(
      'decision.invalid',
      `"${THE_DEADLINE}" is the name for answers that nobody gave in time. Nothing was decided: say who decides.`,
    );
  }
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

/** A worker that does not know of other arguments takes no approval with them. */
function updateFor(answer: DecisionInput): string {
  return answer.arguments === undefined ? DECIDE_UPDATE : APPROVE_EDITED_UPDATE;
}

/** Whether a workflow has refused an update since it has none of this name. */
export function isUnknownUpdate(error: unknown): boolean {
  if (!(error instanceof WorkflowUpdateFailedError)) return false;
  return error.cause?.message.startsWith('No registered handler') === true;
}

/** What the worker said: the update failed in its validator, or in the activity that records. */
function refusalOf({ cause }: WorkflowUpdateFailedError): AgentOnceError | undefined {
  const failure = cause instanceof ActivityFailure ? cause.cause : cause;
  if (!(failure instanceof ApplicationFailure) || !isErrorCode(failure.type)) return undefined;
  return new AgentOnceError(failure.type, failure.message);
}
