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
import { defined } from '../contract/defined.ts';
import { isErrorCode, type ErrorCode } from '../contract/errors.ts';
import type { AgentRunResult, KnownRecords, RunError, RunFailureDetails } from '../contract/run.ts';
import { clientThatTells, type ClosingEvent } from './closing-event.ts';
import { ask, type ClientContext, type RunIdentity } from './context.ts';
import type { RunView } from './types.ts';
import { memoOf, viewOf } from './view.ts';

/** What an execution ended with. */
export type Ending = ({ result: AgentRunResult } | { failure: Error | undefined }) & {
  /** `undefined`: not known. */
  closing: ClosingEvent | undefined;
};

interface ExecutionId {
  workflowId: string;
  runId: string;
}

/** How a closed execution ended: its result, or its error. */
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
 */
export async function knownTo(
  context: ClientContext,
  closed: WorkflowExecutionDescription,
): Promise<KnownRecords | undefined> {
  const ending = await readEnding(context, closed);
  const said = 'result' in ending ? undefined : detailsOf(ending.failure).known;
  return said ?? memoOf(closed).known;
}

/** Why a closed execution ended badly; `null`: it ended well, or Temporal has deleted it. */
export async function readErrorCode(
  context: ClientContext,
  closed: ExecutionId,
): Promise<ErrorCode | null> {
  try {
    const ending = await readEnding(context, closed);
    return 'failure' in ending ? errorOf(ending).code : null;
  } catch (error) {
    if (error instanceof Error && error.cause instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function readEnding(context: ClientContext, closed: ExecutionId): Promise<Ending> {
  return ask(context, () => endingOf(context.temporal, closed));
}

/**
 * Waits for the end of an execution.
 *
 * @throws whatever the client threw, but not for a run that failed
 */
export async function endingOf(
  temporal: Client,
  { workflowId, runId }: ExecutionId,
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
    return { ...view, result: output, usage, ...defined({ shadow }) };
  }
  const { usage = view.usage, shadow } = detailsOf(ending.failure);
  return { ...view, error: errorOf(ending), usage, ...defined({ shadow }) };
}

function errorOf({ failure, closing }: Extract<Ending, { failure: unknown }>): RunError {
  if (failure instanceof CancelledFailure) {
    return { code: 'run.cancelled', message: 'The run was cancelled.' };
  }
  if (failure instanceof TerminatedFailure) {
    const message = terminated(failure.message, closing?.terminatedBy ?? null);
    return { code: 'run.terminated', message };
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

/** Whether it was the server that terminated an execution, and no person. */
export function isServer(identity: string | null): boolean {
  return identity === 'history-service';
}

/**
 * The server ends runs that exceed its limits, and the execution that a reset replaces; names of
 * people and machines are not every caller's to read.
 */
function terminated(reason: string, by: string | null): string {
  if (!isServer(by)) return `The run was terminated by an operator: ${reason}`;
  const atLimit = /exceeds?\b.*\blimit|TooLarge/i.test(reason) ? ' at one of its limits' : '';
  const stop = /[.!?]$/.test(reason) ? '' : '.';
  return `The Temporal server terminated the run${atLimit}, no person did: ${reason}${stop} What the run had recorded by then is kept in the ledger.`;
}

function detailsOf(failure: Error | undefined): Partial<RunFailureDetails> {
  if (!(failure instanceof ApplicationFailure)) return {};
  const [details] = (failure.details ?? []) as (RunFailureDetails | undefined)[];
  return details ?? {};
}
