import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowContinuedAsNewError,
  WorkflowNotFoundError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { LONGEST_TIMER_MS } from '../contract/limits.ts';
import { AGENT_RUN } from '../contract/names.ts';
import type { RunState } from '../contract/run.ts';
import type { ClientContext, RunIdentity } from './context.ts';
import { findExecution, getExecution } from './describe.ts';
import { hasWorker, queryState } from './live-state.ts';
import { endingOf, readOutcome, withEnding, type Ending } from './outcome.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import type { RunView, WaitOptions } from './types.ts';
import { firstRunIdOf, isOpen, questionsOf, viewOf, viewOfStarted } from './view.ts';

const PROGRESS_EVERY_MS = 500;

/** Between two looks whether a run waits for a person: each longer than the one before. */
const FIRST_LOOK_MS = 2_000;
const LONGEST_LOOK_MS = 30_000;

/** How an execution ended, and which one. */
type End = Ending & { runId: string };

/**
 * See `AgentOnceClient.result`. Waits through continue-as-new and resets: after each end of an
 * execution but a good one it looks at the current one of the ID, and goes on if that has the same
 * first execution.
 */
export async function waitForEnd(
  context: ClientContext,
  run: RunIdentity,
  options: WaitOptions,
): Promise<RunView> {
  const { timeoutMs, onProgress, untilWaiting, runId: meant } = options;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;
  const stopWith = (error: unknown): void => stop.abort(error);
  const late = (): void => stopWith(stillRunning(run.workflowId));
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(late, Math.min(timeoutMs, LONGEST_TIMER_MS));
  if (untilWaiting && timeoutMs !== 0) {
    whenWaiting(context, run.workflowId, signal).then(
      () => stopWith(new AgentOnceError('run.waiting', 'The run waits for a person.')),
      () => undefined,
    );
  }
  let reporting: Promise<void> | undefined;
  // An ID outlives a run: what was resumed, forgotten or started anew meanwhile is another one's.
  let last: WorkflowExecutionDescription | undefined;
  let end: End | undefined;
  const untilItEnds = (runId: string): Promise<End | undefined> => {
    signal.throwIfAborted();
    // What the caller's own function throws ends the caller's waiting.
    reporting ??= onProgress
      ? reportProgress(context, run.workflowId, onProgress, signal).catch(stopWith)
      : undefined;
    return executionEnds(context, run.workflowId, runId, signal);
  };
  try {
    if (meant !== undefined) {
      // What is reported is what the key names, and without any time there is no waiting.
      if (!onProgress && timeoutMs !== 0) end = await untilItEnds(meant);
      if (end && 'result' in end && end.runId === meant) {
        const { startedAt } = end.result;
        if (startedAt) return completed(viewOfStarted(run, meant, startedAt), end);
      }
      last = await getExecution(context, run, end?.runId ?? meant);
    }
    for (;;) {
      const execution = await findExecution(context, run.workflowId);
      if (last && execution && firstRunIdOf(execution) !== firstRunIdOf(last)) {
        // The one that was waited for, as it is now that another run has its ID.
        const ended = await getExecution(context, run, end?.runId ?? last.runId);
        return end ? endedView(viewOf(run, ended), end) : await readOutcome(context, run, ended);
      }
      last = execution?.type === AGENT_RUN ? execution : await getExecution(context, run);
      if (!isOpen(last)) {
        if (end?.runId === last.runId) return endedView(viewOf(run, last), end);
        return await readOutcome(context, run, last);
      }
      end = await untilItEnds(last.runId);
      if (end && 'result' in end && end.runId === last.runId) {
        return completed(viewOf(run, last), end);
      }
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a query that hangs must not hold up the deadline.
    stop.abort();
  }
}

/** With a result an execution is over, and the result is the run's, whatever becomes of its ID. */
function completed(view: RunView, end: End): RunView {
  const closedAt = end.closing?.at ?? null;
  return endedView({ ...view, status: 'completed', waiting: [], closedAt }, end);
}

/** Each caller's own, to be changed at will: the ending may have been read once for several. */
function endedView(view: RunView, end: End): RunView {
  return structuredClone(withEnding(view, end));
}

/**
 * What the execution ended with, or the one that went on for it; `undefined`: it was deleted. All who
 * wait for the same execution share one long poll.
 * Not with a gRPC deadline: near one, the server answers long polls at once, and the client would
 * repeat them in a tight loop.
 */
async function executionEnds(
  context: ClientContext,
  workflowId: string,
  runId: string,
  signal: AbortSignal,
): Promise<End | undefined> {
  const { temporal } = context;
  try {
    const ending = await context.shared.join(`end of ${workflowId} ${runId}`, signal, (stop) =>
      temporal.withAbortSignal(stop, () => endingOf(temporal, { workflowId, runId })),
    );
    return { ...ending, runId };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof WorkflowContinuedAsNewError) {
      return executionEnds(context, workflowId, error.newExecutionRunId, signal);
    }
    // Deleted meanwhile: the next look says so.
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw asAgentOnceError(error, temporal);
  }
}

/** Resolves when the run waits for a person; looked after once for all who wait for it. */
function whenWaiting(
  context: ClientContext,
  workflowId: string,
  caller: AbortSignal,
): Promise<void> {
  return context.shared.join(`questions of ${workflowId}`, caller, async (signal) => {
    for (let ms = FIRST_LOOK_MS; ; ms = Math.min(LONGEST_LOOK_MS, ms * 1.5)) {
      await sleep(ms, undefined, { signal });
      // Whether the server answers is the waiting's business.
      const found = await findExecution(context, workflowId).catch(() => undefined);
      if (found && questionsOf(found).length > 0) return;
    }
  });
}

function stillRunning(workflowId: string): AgentOnceError {
  return new AgentOnceError(
    'run.still_running',
    `Run ${workflowId} had not ended at the deadline. It goes on; ask again later.`,
  );
}

/** Fails with what `onProgress` throws alone: whether the server answers is the waiting's business. */
async function reportProgress(
  context: ClientContext,
  workflowId: string,
  onProgress: NonNullable<WaitOptions['onProgress']>,
  signal: AbortSignal,
): Promise<void> {
  let state: RunState | undefined;
  while (!signal.aborted) {
    // Whoever answered a moment ago need not be looked for.
    const worker = state !== undefined || (await hasWorker(context));
    state = worker ? await queryState(context, workflowId) : undefined;
    // Without a worker's answer, the run's memo says whether it waits for a person.
    const asking = state
      ? undefined
      : await findExecution(context, workflowId).catch(() => undefined);
    const waiting = state?.waiting ?? (asking ? questionsOf(asking) : []);
    if (signal.aborted) return;
    onProgress({ workflowId, hasWorker: worker, ...defined({ state }), waiting });
    await sleep(PROGRESS_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
