import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import type { OpenQuestion, WaitingMemo } from '../contract/decision.ts';
import type { JsonValue } from '../contract/json-value.ts';
import { NO_USAGE, type RunMemo, type RunStatus, type Usage } from '../contract/run.ts';
import { scopeFrom } from '../contract/step.ts';
import type { RunIdentity } from './context.ts';
import type { RunView } from './types.ts';

/** What the run itself writes into its memo. */
interface RunNews extends WaitingMemo {
  usage?: Usage;
}

type Execution = Pick<WorkflowExecutionInfo, 'status' | 'searchAttributes' | 'memo'>;

/** Whether an execution may still do something. */
export function isOpen(execution: Pick<WorkflowExecutionInfo, 'status'>): boolean {
  return !['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'].includes(
    execution.status.name,
  );
}

/** Status of a run; one that waits for a person says so in its memo. */
export function statusOf(execution: Execution): RunStatus {
  switch (execution.status.name) {
    case 'COMPLETED':
      return 'completed';
    case 'CANCELLED':
      return 'cancelled';
    case 'FAILED':
    case 'TERMINATED':
    case 'TIMED_OUT':
      return 'failed';
    default:
      return questionsOf(execution).length > 0 ? 'waiting' : 'running';
  }
}

/** What a run that is still open asks people, as its memo says it: the first questions. */
export function questionsOf(execution: Pick<Execution, 'memo' | 'status'>): OpenQuestion[] {
  const waiting = isOpen(execution) ? (memoOf(execution).waiting ?? []) : [];
  return waiting.map(({ cut: _cut, ...question }) => question);
}

/** How many questions it has besides those. */
function moreQuestionsOf(execution: Pick<Execution, 'memo' | 'status'>): number {
  return isOpen(execution) ? (memoOf(execution).waitingMore ?? 0) : 0;
}

/** Whether the memo leaves anything of the questions out, which only the run itself can say. */
export function isShortened(execution: Pick<Execution, 'memo' | 'status'>): boolean {
  if (!isOpen(execution)) return false;
  const { waiting } = memoOf(execution);
  return moreQuestionsOf(execution) > 0 || (waiting ?? []).some(({ cut }) => cut === true);
}

/** What views and lists show of the questions. */
export function waitingOf(
  execution: Pick<Execution, 'memo' | 'status'>,
): Pick<RunView, 'waiting' | 'waitingMore'> {
  const more = moreQuestionsOf(execution);
  return { waiting: questionsOf(execution), ...(more > 0 ? { waitingMore: more } : {}) };
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
export function viewOf(
  run: RunIdentity,
  description: WorkflowExecutionDescription,
): RunView & { result: JsonValue | null } {
  return {
    workflowId: run.workflowId,
    runId: description.runId,
    agent: run.agent,
    tenant: run.tenant,
    // Where only the ID is known, it may hold the key's hash.
    key: memoOf(description).key ?? run.key,
    status: statusOf(description),
    result: null,
    error: null,
    usage: memoOf(description).usage ?? null,
    ...(memoOf(description).shadow ? { shadow: [] } : {}),
    ...waitingOf(description),
    startedAt: description.startTime.toISOString(),
    closedAt: description.closeTime?.toISOString() ?? null,
  };
}
