import type { WorkflowExecutionInfo } from '@temporalio/client';
// Not public, and the only way to a page's token: `list` keeps it to itself.
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
import { AgentOnceError } from '../contract/errors.ts';
import { assertName, DEFAULT_TENANT, parseWorkflowId, workflowIdPrefix } from '../contract/key.ts';
import { AGENT_RUN } from '../contract/names.ts';
import { RUN_STATUSES, type RunStatus } from '../contract/run.ts';
import { ask, type ClientContext } from './context.ts';
import { findExecution } from './describe.ts';
import type { ListFilter, RunSummary } from './types.ts';
import { memoOf, statusOf, waitingOf } from './view.ts';

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

/** One page of `listRuns`, for callers who come back for the next; `cursor` is `next` of the last. */
export async function listPage(
  context: ClientContext,
  filter: ListFilter & { workflowIds?: readonly string[] },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ runs: RunSummary[]; next: string | null }> {
  const { temporal } = context;
  const { namespace, loadedDataConverter } = temporal.options;
  const { workflowIds, ...known } = filter;
  const terms = [visibilityQuery(known, context.searchAttributes)];
  if (workflowIds) terms.push(`WorkflowId IN (${workflowIds.map(quote).join(', ')})`);
  const query = terms.join(' AND ');
  const answer = await ask(context, () =>
    temporal.workflowService.listWorkflowExecutions({
      namespace,
      query,
      pageSize: limit,
      nextPageToken: Buffer.from(cursor ?? '', 'base64url'),
    }),
  );
  const runs: RunSummary[] = [];
  for (const raw of answer.executions) {
    const summary = summaryOf(await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace));
    if (!summary || !matches(summary, known)) continue;
    if (runs.some(({ workflowId }) => workflowId === summary.workflowId)) continue;
    if (filter.status && summary.closedAt && !(await isCurrent(context, summary))) continue;
    runs.push(summary);
  }
  const next = Buffer.from(answer.nextPageToken).toString('base64url');
  return { runs, next: next === '' ? null : next };
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
    ...waitingOf(execution),
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
