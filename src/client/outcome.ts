import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { isErrorCode, type ErrorCode } from '../contract/errors.ts';
import type { AgentRunResult, RunError, RunFailureDetails } from '../contract/run.ts';
import { ask, request, type ClientContext, type RunIdentity } from './context.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import type { RunView } from './types.ts';
import { viewOf } from './view.ts';

/** What an execution ended with. */
export type Ending = { result: AgentRunResult } | { failure: Error | undefined };

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
  const handle = context.temporal.workflow.getHandle(run.workflowId, closed.runId, {
    followRuns: false,
  });
  return withEnding(viewOf(run, closed), await ask(context, () => endingOf(handle)));
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
  const handle = context.temporal.workflow.getHandle(workflowId, runId, { followRuns: false });
  try {
    const ending = await request(context, () => endingOf(handle));
    return 'failure' in ending ? errorOf(ending.failure).code : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw asAgentOnceError(error, context.temporal);
  }
}

/**
 * Waits for the end of the execution that a handle names.
 *
 * @throws whatever the client threw, but not for a run that failed
 */
export async function endingOf(handle: Pick<WorkflowHandle, 'result'>): Promise<Ending> {
  try {
    return { result: (await handle.result()) as AgentRunResult };
  } catch (error) {
    if (error instanceof WorkflowFailedError) return { failure: error.cause };
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
  return { ...view, error: errorOf(ending.failure), usage, ...(shadow ? { shadow } : {}) };
}

function errorOf(failure: Error | undefined): RunError {
  if (failure instanceof CancelledFailure) {
    return { code: 'run.cancelled', message: 'The run was cancelled.' };
  }
  if (failure instanceof TerminatedFailure) {
    return {
      code: 'run.terminated',
      message: `The run was terminated by an operator: ${failure.message}`,
    };
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
