import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { isErrorCode, type ErrorCode } from '../contract/errors.ts';
import type { AgentRunResult, KnownRecords, RunError, RunFailureDetails } from '../contract/run.ts';
import { clientThatTells, type ClosingEvent } from './closing-event.ts';
import { ask, request, type ClientContext, type RunIdentity } from './context.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import { terminatedError } from './terminated.ts';
import type { RunView } from './types.ts';
import { memoOf, viewOf } from './view.ts';

/** What an execution ended with. */
export type Ending = ({ result: AgentRunResult } | { failure: Error | undefined }) & {
  /** `undefined`: not known. */
  closing: ClosingEvent | undefined;
};

/**
 * How a closed execution ended: its result, or its error.
 *
 * @throws {AgentOnceError} `temporal.…`
 */
export async function readOutcome(
  context: ClientContext,
  run: RunIdentity,
  closed: WorkflowExecutionDescription,
): Promise<RunView> {
  return withEnding(viewOf(run, closed), await readEnding(context, closed));
}

/**
 * What a closed execution that failed or was cancelled says it has seen recorded. One that was
 * terminated or timed out knows what it began with; one of an earlier version says nothing.
 *
 * @throws {AgentOnceError} `temporal.…`
 */
export async function knownTo(
  context: ClientContext,
  closed: WorkflowExecutionDescription,
): Promise<KnownRecords | undefined> {
  const ending = await readEnding(context, closed);
  const said = 'result' in ending ? undefined : detailsOf(ending.failure).known;
  return said ?? memoOf(closed).known;
}

function readEnding(
  context: ClientContext,
  { workflowId, runId }: WorkflowExecutionDescription,
): Promise<Ending> {
  return ask(context, () => endingOf(context.temporal, workflowId, runId));
}

/**
 * Why a closed execution ended badly; `null`: it ended well, or Temporal has deleted it.
 *
 * @throws {AgentOnceError} `temporal.…`
 */
export async function readErrorCode(
  context: ClientContext,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<ErrorCode | null> {
  try {
    const ending = await request(context, () => endingOf(context.temporal, workflowId, runId));
    return 'failure' in ending ? errorOf(ending).code : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw asAgentOnceError(error, context.temporal);
  }
}

/**
 * Waits for the end of an execution.
 *
 * @throws whatever the client threw, but not for a run that failed
 */
export async function endingOf(
  temporal: Client,
  workflowId: string,
  runId: string,
): Promise<Ending> {
  let closing: ClosingEvent | undefined;
  const client = clientThatTells(temporal, (told) => (closing = told));
  const handle = client.getHandle(workflowId, runId, { followRuns: false });
  try {
    return { result: (await handle.result()) as AgentRunResult, closing };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return { failure: error.cause, closing };
    throw error;
  }
}

/**
 * The view of a closed execution whose ending is known.
 *
 * @param view what its description gives
 */
export function withEnding(view: RunView, ending: Ending): RunView {
  if ('result' in ending) {
    const { output, usage, shadow } = ending.result;
    return { ...view, result: output, usage, ...(shadow ? { shadow } : {}) };
  }
  const { usage = view.usage, shadow } = detailsOf(ending.failure);
  return { ...view, error: errorOf(ending), usage, ...(shadow ? { shadow } : {}) };
}

function errorOf({ failure, closing }: Extract<Ending, { failure: unknown }>): RunError {
  if (failure instanceof CancelledFailure) {
    return { code: 'run.cancelled', message: 'The run was cancelled.' };
  }
  if (failure instanceof TerminatedFailure) {
    return terminatedError(failure.message, closing?.terminatedBy ?? null);
  }
  if (failure instanceof TimeoutFailure) {
    return { code: 'run.timed_out', message: 'The run hit its execution timeout.' };
  }
  const type = failure instanceof ApplicationFailure ? failure.type : undefined;
  return {
    code: isErrorCode(type) ? type : 'run.failed',
    message: failure?.message ?? 'The run failed without saying why.',
  };
}

function detailsOf(failure: Error | undefined): Partial<RunFailureDetails> {
  if (!(failure instanceof ApplicationFailure)) return {};
  const [details] = (failure.details ?? []) as (RunFailureDetails | undefined)[];
  return details ?? {};
}
