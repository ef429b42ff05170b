import type { WorkflowExecutionInfo } from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import { assertName, DEFAULT_TENANT, parseWorkflowId, workflowIdPrefix } from '../contract/key.ts';
import { AGENT_RUN } from '../contract/names.ts';
import { RUN_STATUSES, type RunStatus } from '../contract/run.ts';
import { ask, type ClientContext } from './context.ts';
import { findExecution } from './describe.ts';
import type { ListFilter, RunSummary } from './types.ts';
import { memoOf, questionsOf, statusOf } from './view.ts';

/** Our statuses in Temporal's words. */
const EXECUTION_STATUSES: Record<RunStatus, string[]> = {
  running: ['Running'],
  waiting: ['Running'],
  completed: ['Completed'],
  failed: ['Failed', 'Terminated', 'TimedOut'],
  cancelled: ['Canceled'],
};

/**
 * The runs of a namespace, open ones first, then the latest. Temporal's index lags behind by up to
 * a second.
 *
 * @throws {AgentOnceError} `name.invalid`, `usage`, `temporal.…`
 */
export async function* listRuns(
  context: ClientContext,
  filter: ListFilter,
): AsyncGenerator<RunSummary> {
  const query = visibilityQuery(filter, context.searchAttributes);
  const limit = filter.limit ?? Infinity;
  if (limit < 1) return;
  // A reset leaves a terminated execution behind under the same ID.
  const seen = new Set<string>();
  let yielded = 0;
  const pageSize = Math.min(limit, 200);
  const executions = context.temporal.workflow.list({ query, pageSize })[Symbol.asyncIterator]();
  for (;;) {
    const next = await ask(context, () => executions.next());
    if (next.done === true) return;
    const summary = summaryOf(next.value);
    if (!summary || seen.has(summary.workflowId) || !matches(summary, filter)) continue;
    seen.add(summary.workflowId);
    if (filter.status && summary.closedAt && !(await isCurrent(context, summary))) continue;
    yield summary;
    yielded += 1;
    if (yielded >= limit) return;
  }
}

/** Whether no reset, resume or new run has taken the ID since: the filter hides those. */
async function isCurrent(context: ClientContext, summary: RunSummary): Promise<boolean> {
  const current = await findExecution(context, summary.workflowId);
  return current?.runId === summary.runId;
}

/**
 * The query narrows what the server sends, as far as its index knows: search attributes may be
 * switched off. `matches` has the last word.
 */
export function visibilityQuery(filter: ListFilter, searchAttributes: boolean): string {
  const { agent, tenant, status } = filter;
  if (agent !== undefined) assertName('agent', agent);
  if (tenant !== undefined) assertName('tenant', tenant);
  if (status !== undefined && !RUN_STATUSES.includes(status)) {
    throw new AgentOnceError('usage', `A status is one of ${RUN_STATUSES.join(', ')}.`);
  }
  const terms = [`WorkflowType = ${quote(AGENT_RUN)}`];
  const prefix = idPrefix(agent, tenant);
  if (prefix !== undefined) terms.push(`WorkflowId STARTS_WITH ${quote(prefix)}`);
  else if (agent !== undefined && searchAttributes) terms.push(`AgentName = ${quote(agent)}`);
  if (status === undefined) terms.push(`ExecutionStatus != 'ContinuedAsNew'`);
  else terms.push(`ExecutionStatus IN (${EXECUTION_STATUSES[status].map(quote).join(', ')})`);
  if (status === 'waiting' && searchAttributes) terms.push(`AgentStatus = 'waiting'`);
  return terms.join(' AND ');
}

function idPrefix(agent: string | undefined, tenant: string | undefined): string | undefined {
  if (tenant === undefined) return undefined;
  if (agent !== undefined) return workflowIdPrefix(tenant, agent);
  return tenant === DEFAULT_TENANT ? undefined : `agent-${tenant}.`;
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function summaryOf(execution: WorkflowExecutionInfo): RunSummary | undefined {
  const name = parseWorkflowId(execution.workflowId);
  if (!name) return undefined;
  return {
    workflowId: execution.workflowId,
    runId: execution.runId,
    agent: name.agent,
    tenant: name.tenant,
    key: memoOf(execution).key ?? name.key,
    status: statusOf(execution),
    waiting: questionsOf(execution),
    startedAt: execution.startTime.toISOString(),
    closedAt: execution.closeTime?.toISOString() ?? null,
  };
}

function matches(summary: RunSummary, { agent, tenant, status }: ListFilter): boolean {
  return (
    (agent === undefined || summary.agent === agent) &&
    (tenant === undefined || summary.tenant === tenant) &&
    (status === undefined || summary.status === status)
  );
}
