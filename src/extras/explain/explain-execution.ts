import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { ClientContext, RunIdentity } from '../../client/context.ts';
import { readOutcome } from '../../client/outcome.ts';
import { memoOf, scopeOf } from '../../client/view.ts';
import { defined } from '../../contract/defined.ts';
import { FORGOTTEN } from '../../contract/names.ts';
import type { ExecutionIntent, ExecutionStatus, ExplainedExecution } from './explanation.ts';
import { readLimits } from './read-request.ts';
import { readStop } from './read-stop.ts';

/** What is read of one execution. */
export interface Facts {
  description: WorkflowExecutionDescription;
  /** Continued as new from this one; empty: not. */
  continuedFrom: string;
  /** The execution that wrote the first event: another one, after a reset. */
  writtenBy: string;
  startedBy: string | null;
  argument: Payload | undefined;
}

/**
 * One execution, as a person wants to know it.
 *
 * @param resets run IDs of executions that a reset made
 * @throws {AgentOnceError} `temporal.…`
 */
export async function explainExecution(
  context: ClientContext,
  run: RunIdentity,
  { description, continuedFrom, writtenBy, startedBy, argument }: Facts,
  resets: ReadonlySet<string>,
): Promise<ExplainedExecution> {
  const memo = memoOf(description);
  const { runId } = description;
  const isReset = resets.has(runId) || writtenBy !== runId;
  const status = statusOf(description);
  const bad = ['failed', 'cancelled', 'terminated', 'timed_out'].includes(status);
  const intent = intentOf(description, isReset, continuedFrom !== '');
  const { workflowId } = run;
  const [outcome, stopped, resumedWith] = await Promise.all([
    bad ? readOutcome(context, run, description) : null,
    status === 'forgotten' ? null : readStop(context, description),
    intent === 'resume' && argument ? readLimits(context, { workflowId, argument }) : undefined,
  ]);
  return {
    runId,
    intent,
    status,
    startedAt: description.startTime.toISOString(),
    closedAt: description.closeTime?.toISOString() ?? null,
    predecessor: (isReset ? writtenBy : continuedFrom || memo.predecessor) || null,
    scope: scopeOf(description),
    error: outcome?.error ?? null,
    startedBy,
    stopped,
    ...defined({ resumedWith }),
  };
}

function intentOf(
  description: WorkflowExecutionDescription,
  isReset: boolean,
  isContinued: boolean,
): ExecutionIntent {
  if (description.type === FORGOTTEN) return 'forgotten';
  // A reset and continue-as-new take the memo along.
  if (isReset) return 'reset';
  if (isContinued) return 'continued';
  return memoOf(description).intent ?? null;
}

function statusOf(description: WorkflowExecutionDescription): ExecutionStatus {
  if (description.type === FORGOTTEN) return 'forgotten';
  switch (description.status.name) {
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return 'cancelled';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed_out';
    case 'CONTINUED_AS_NEW':
      return 'continued';
    default:
      return 'running';
  }
}

/** One that Temporal has deleted. */
export function goneExecution(runId: string): ExplainedExecution {
  return {
    runId,
    intent: null,
    status: 'gone',
    startedAt: null,
    closedAt: null,
    predecessor: null,
    scope: null,
    error: null,
    startedBy: null,
    stopped: null,
  };
}
