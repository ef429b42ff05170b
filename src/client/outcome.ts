import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { isErrorCode } from '../contract/errors.ts';
import type { AgentRunResult, KnownRecords, RunError, RunFailureDetails } from '../contract/run.ts';
import { ask, type ClientContext, type RunIdentity } from './context.ts';
import type { RunView } from './types.ts';
import { memoOf, viewOf } from './view.ts';

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
  const handle = context.temporal.workflow.getHandle(workflowId, runId, { followRuns: false });
  return ask(context, () => endingOf(handle));
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
