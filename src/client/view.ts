import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import type { OpenQuestion, WaitingMemo } from '../contract/decision.ts';
import { NO_USAGE, type RunMemo, type RunStatus, type Usage } from '../contract/run.ts';
import { scopeFrom } from '../contract/step.ts';
import type { RunIdentity } from './context.ts';
import type { RunView } from './types.ts';

/** What the run itself writes into its memo. */
interface RunNews extends WaitingMemo {
  usage?: Usage;
}

type Execution = Pick<WorkflowExecutionInfo, 'status' | 'memo'>;

/** Temporal's statuses of executions that have ended. */
const CLOSED: Readonly<Record<string, RunStatus>> = {
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  FAILED: 'failed',
  TERMINATED: 'failed',
  TIMED_OUT: 'failed',
};

/** Whether an execution may still do something. */
export function isOpen({ status }: Pick<Execution, 'status'>): boolean {
  return CLOSED[status.name] === undefined;
}

/** Status of a run; one that waits for a person says so in its memo. */
export function statusOf(execution: Execution): RunStatus {
  const open = questionsOf(execution).length > 0 ? 'waiting' : 'running';
  return CLOSED[execution.status.name] ?? open;
}

/** What a run that is still open asks people, as its memo says it: the first questions. */
export function questionsOf(execution: Execution): OpenQuestion[] {
  return (askedBy(execution).waiting ?? []).map(({ cut: _cut, ...question }) => question);
}

/** Whether the memo leaves anything of the questions out, which only the run itself can say. */
export function isShortened(execution: Execution): boolean {
  const { waiting, waitingMore } = askedBy(execution);
  return (waitingMore ?? 0) > 0 || (waiting ?? []).some(({ cut }) => cut === true);
}

/** What views and lists show of the questions. */
export function waitingOf(execution: Execution): Pick<RunView, 'waiting' | 'waitingMore'> {
  const { waitingMore } = askedBy(execution);
  return { waiting: questionsOf(execution), ...(waitingMore ? { waitingMore } : {}) };
}

function askedBy(execution: Execution): WaitingMemo {
  return isOpen(execution) ? memoOf(execution) : {};
}

/** The memo, of which nothing is certain: anybody may start a workflow under any ID. */
export function memoOf(execution: Pick<Execution, 'memo'>): Partial<RunMemo> & RunNews {
  return execution.memo ?? {};
}

/** What survives continue-as-new and reset. */
export function firstRunIdOf(description: WorkflowExecutionDescription): string {
  return description.raw.workflowExecutionInfo?.firstRunId ?? description.runId;
}

/** What the tokens of an execution's steps begin with. */
export function scopeOf(description: WorkflowExecutionDescription): string {
  const { scope, shadow } = memoOf(description);
  return scope ?? scopeFrom(firstRunIdOf(description), shadow);
}

/** The view of an execution that has just started: of what it does, nothing is known yet. */
export function viewOfStarted(run: RunIdentity, runId: string, startedAt: string): RunView {
  return {
    workflowId: run.workflowId,
    runId,
    agent: run.agent,
    tenant: run.tenant,
    key: run.key,
    status: 'running',
    result: null,
    error: null,
    usage: NO_USAGE,
    waiting: [],
    startedAt,
    closedAt: null,
  };
}

/** The part of a view that a description alone gives. */
export function viewOf(run: RunIdentity, description: WorkflowExecutionDescription): RunView {
  // Where only the ID is known, it may hold the key's hash.
  const { key = run.key, usage = null, shadow } = memoOf(description);
  const { runId, startTime, closeTime } = description;
  return {
    ...viewOfStarted({ ...run, key }, runId, startTime.toISOString()),
    status: statusOf(description),
    usage,
    ...(shadow ? { shadow: [] } : {}),
    ...waitingOf(description),
    closedAt: closeTime?.toISOString() ?? null,
  };
}
