import type { WorkflowExecutionInfo } from '@temporalio/client';
import { parseWorkflowId } from '../contract/key.ts';
import { AGENT_RUN, FORGOTTEN } from '../contract/names.ts';
import type { ClientContext } from './context.ts';
import { findExecution } from './describe.ts';
import { readErrorCode } from './outcome.ts';
import type { RunSummary } from './types.ts';
import { memoOf, statusOf, waitingOf } from './view.ts';

/** What an entry of Temporal's index says of a run; `undefined`: it is no run's. */
export function summaryOf(execution: WorkflowExecutionInfo): RunSummary | undefined {
  const { workflowId, runId, type, startTime, closeTime } = execution;
  const name = parseWorkflowId(workflowId);
  const forgotten = type === FORGOTTEN;
  if (!name || !(forgotten || type === AGENT_RUN)) return undefined;
  return {
    workflowId,
    runId,
    agent: name.agent,
    tenant: name.tenant,
    key: memoOf(execution).key ?? name.key,
    status: forgotten ? 'forgotten' : statusOf(execution),
    shadow: memoOf(execution).shadow === true,
    error: null,
    ...(forgotten ? { waiting: [] } : waitingOf(execution)),
    startedAt: startTime.toISOString(),
    // The mark of a forgotten run is valid from its own start on.
    closedAt: (forgotten ? startTime : closeTime)?.toISOString() ?? null,
  };
}

/**
 * The summary, with what the index does not know: of a run that ended badly the error, of a
 * forgotten one what it was. One request, where one is needed.
 *
 * @throws {AgentOnceError} `temporal.…`
 */
export async function withDetails(
  context: ClientContext,
  summary: RunSummary,
  execution: WorkflowExecutionInfo,
): Promise<RunSummary> {
  const { status, workflowId } = summary;
  const { predecessor } = memoOf(execution);
  if (status === 'failed' || status === 'cancelled') {
    return { ...summary, error: await readErrorCode(context, execution) };
  }
  if (status !== 'forgotten' || predecessor === undefined) return summary;
  const run = await findExecution(context, workflowId, predecessor);
  if (!run) return summary;
  const startedAt = run.startTime.toISOString();
  return { ...summary, shadow: memoOf(run).shadow === true, startedAt };
}
