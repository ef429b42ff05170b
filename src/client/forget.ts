import { randomUUID } from 'node:crypto';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import { AGENT_RUN, FORGOTTEN } from '../contract/names.ts';
import type { RunMemo } from '../contract/run.ts';
import { ask, request, type ClientContext, type RunIdentity } from './context.ts';
import { findExecution, getExecution } from './describe.ts';
import { successorRequestId, withRequestId } from './request-id.ts';
import { asAgentOnceError, mayHaveArrived } from './temporal-errors.ts';
import { isOpen, memoOf, scopeOf } from './view.ts';

/** A queue that nobody polls: a tombstone is there to be found, never to run. */
const NOBODY = 'agent-once-forgotten';
/** Ends a tombstone whose terminate was lost. */
const TOMBSTONE_TIMEOUT_MS = 1_000;

export interface ForgottenRun {
  workflowId: string;
  /** Run ID of the execution that was forgotten. */
  runId: string;
}

/**
 * Makes a key new again: puts a tombstone on top of the closed run under its ID. Temporal has no
 * synchronous delete, and this one is atomic: only an execution of type `forgotten` is ever
 * terminated.
 *
 * @throws {AgentOnceError} `run.not_found`; `run.still_running` when it runs, or was resumed or
 *   started anew at the same moment; `temporal.…`
 */
export async function forgetRun(context: ClientContext, run: RunIdentity): Promise<ForgottenRun> {
  const closed = await getExecution(context, run);
  if (isOpen(closed)) throw stillRunning(run);
  const nonce = randomUUID();
  try {
    await request(context, () => startTombstone(context, run, closed, nonce));
  } catch (error) {
    const taken = error instanceof WorkflowExecutionAlreadyStartedError;
    if (!taken && !mayHaveArrived(error)) throw asAgentOnceError(error, context.temporal);
  }
  // The server merges callers who saw the same closed run, whatever they wanted: look who won.
  const current = await findExecution(context, run.workflowId);
  if (current?.type === FORGOTTEN) {
    if (isOpen(current)) await terminateTombstone(context, current);
    return { workflowId: run.workflowId, runId: closed.runId };
  }
  if (current && (isOpen(current) || current.runId !== closed.runId)) throw stillRunning(run);
  throw new AgentOnceError(
    'temporal.unreachable',
    'Temporal did not answer in time, and the run is still there. Nothing was changed: forget it again.',
  );
}

async function startTombstone(
  context: ClientContext,
  run: RunIdentity,
  closed: WorkflowExecutionDescription,
  nonce: string,
): Promise<void> {
  const memo: RunMemo = {
    fingerprint: '',
    intent: 'forgotten',
    predecessor: closed.runId,
    scope: scopeOf(closed),
    firstSeen: new Date().toISOString(),
    nonce,
    ...(memoOf(closed).key === undefined ? {} : { key: memoOf(closed).key as string }),
  };
  await context.temporal.workflow.start(
    FORGOTTEN,
    withRequestId(
      {
        workflowId: run.workflowId,
        taskQueue: NOBODY,
        workflowExecutionTimeout: TOMBSTONE_TIMEOUT_MS,
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        memo: { ...memo },
        staticSummary: 'forgotten',
      },
      successorRequestId(closed.runId),
    ),
  );
}

/** By its run ID, whose type was read: whatever comes after it is safe. */
async function terminateTombstone(
  context: ClientContext,
  { workflowId, runId, type }: WorkflowExecutionDescription,
): Promise<void> {
  if (type !== FORGOTTEN) throw new Error(`Only a tombstone is terminated, not a ${AGENT_RUN}`);
  const handle = context.temporal.workflow.getHandle(workflowId, runId);
  try {
    await ask(context, () => handle.terminate('forgotten'));
  } catch (error) {
    // It has timed out by itself, or it will: it is there, and that is what was asked for.
    const over = error instanceof AgentOnceError && error.cause instanceof WorkflowNotFoundError;
    if (!over && !(error instanceof AgentOnceError && error.code === 'temporal.unreachable')) {
      throw error;
    }
  }
}

function stillRunning({ agent }: RunIdentity): AgentOnceError {
  return new AgentOnceError(
    'run.still_running',
    `The run of agent "${agent}" is under way, and only a run that has ended can be forgotten. Nothing was changed: cancel it first, or wait for its end.`,
  );
}
