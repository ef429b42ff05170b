import { setTimeout as sleep } from 'node:timers/promises';
import {
  isGrpcCancelledError,
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { getExecution } from './describe.ts';
import { hasWorker, queryState } from './live-state.ts';
import { readOutcome } from './outcome.ts';
import { asAgentOnceError, isDeadline } from './temporal-errors.ts';
import type { RunView, WaitOptions } from './types.ts';
import { isOpen } from './view.ts';

const PROGRESS_EVERY_MS = 1_000;

/**
 * Waits until a run ends, through continue-as-new and resets: after each end of an execution it
 * looks at the current one of the ID.
 *
 * @throws {AgentOnceError} `run.not_found`, `run.still_running` at the deadline, `temporal.…`;
 *   the reason of `options.signal`
 */
export async function waitForEnd(
  context: ClientContext,
  run: RunIdentity,
  options: WaitOptions,
): Promise<RunView> {
  const { timeoutMs, onProgress } = options;
  const deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  const done = new AbortController();
  const signal = options.signal ? AbortSignal.any([done.signal, options.signal]) : done.signal;
  let reporting: Promise<void> | undefined;
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      const execution = await getExecution(context, run);
      if (!isOpen(execution)) return await readOutcome(context, run, execution);
      if (onProgress) reporting ??= reportProgress(context, run.workflowId, onProgress, signal);
      await executionEnds(context, run.workflowId, execution.runId, deadline, signal);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    done.abort();
    await reporting;
  }
}

async function executionEnds(
  context: ClientContext,
  workflowId: string,
  runId: string,
  deadline: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { temporal } = context;
  const handle = temporal.workflow.getHandle(workflowId, runId, { followRuns: false });
  const wait = (): Promise<unknown> => temporal.withAbortSignal(signal, () => handle.result());
  try {
    await (deadline === undefined ? wait() : temporal.withDeadline(deadline, wait));
  } catch (error) {
    if (error instanceof WorkflowFailedError || error instanceof WorkflowContinuedAsNewError)
      return;
    // Deleted meanwhile: the next look says so.
    if (error instanceof WorkflowNotFoundError) return;
    if (deadline !== undefined && isDeadline(error)) throw stillRunning(workflowId);
    if (isGrpcCancelledError(error)) signal.throwIfAborted();
    throw asAgentOnceError(error, temporal);
  }
}

function stillRunning(workflowId: string): AgentOnceError {
  return new AgentOnceError(
    'run.still_running',
    `Run ${workflowId} had not ended at the deadline. It goes on; ask again later.`,
  );
}

/** Never fails: whether the server answers is the waiting's business. */
async function reportProgress(
  context: ClientContext,
  workflowId: string,
  onProgress: NonNullable<WaitOptions['onProgress']>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const worker = await hasWorker(context);
    const state = worker && !signal.aborted ? await queryState(context, workflowId) : undefined;
    if (signal.aborted) return;
    onProgress({ workflowId, hasWorker: worker, ...(state ? { state } : {}) });
    await sleep(PROGRESS_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
