import type { WorkflowExecutionInfo } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
// Not public, and the only way to a page's token: `list` keeps it to itself.
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
import { AgentOnceError } from '../contract/errors.ts';
import { assertName, DEFAULT_TENANT, parseWorkflowId, workflowIdPrefix } from '../contract/key.ts';
import { AGENT_RUN, FORGOTTEN } from '../contract/names.ts';
import { LISTED_STATUSES, type RunStatus } from '../contract/run.ts';
import { ask, type ClientContext } from './context.ts';
import { findExecution } from './describe.ts';
import { readErrorCode } from './outcome.ts';
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

/** Requests about single runs of a list, at once. */
const AT_ONCE = 16;
const LARGEST_PAGE = 200;
const COST = defineSearchAttributeKey('AgentCostUsd', 'DOUBLE');

export interface RunPage {
  runs: RunSummary[];
  /** `null`: it was the last one. */
  next: string | null;
}

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
  let left = filter.limit ?? Infinity;
  const limit = Math.min(left, LARGEST_PAGE);
  // The index has the latest of an ID first: only a filter can have hidden that one.
  const seen = { ids: new Set<string>(), firstIsLatest: filter.status === undefined };
  let cursor: string | undefined;
  while (left > 0) {
    const { runs, next } = await listPage(context, filter, { limit, cursor }, seen);
    yield* runs.slice(0, left);
    if (next === null) return;
    left -= runs.length;
    cursor = next;
  }
}

/**
 * One page of `listRuns`, for callers who come back for the next; `cursor` is `next` of the last.
 *
 * @param seen IDs that were on a page before, and whether the first execution of any other ID is its
 *   latest. By default neither is known
 */
export async function listPage(
  context: ClientContext,
  { workflowIds, ...filter }: ListFilter & { workflowIds?: readonly string[] },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  seen = { ids: new Set<string>(), firstIsLatest: false },
): Promise<RunPage> {
  const { temporal } = context;
  const { namespace, loadedDataConverter } = temporal.options;
  const terms = [visibilityQuery(filter, context.searchAttributes)];
  if (workflowIds) terms.push(`WorkflowId IN (${workflowIds.map(quote).join(', ')})`);
  const { executions, nextPageToken } = await ask(context, () =>
    temporal.workflowService.listWorkflowExecutions({
      namespace,
      query: terms.join(' AND '),
      pageSize: limit,
      nextPageToken: Buffer.from(cursor ?? '', 'base64url'),
    }),
  );
  const found: [RunSummary, WorkflowExecutionInfo][] = [];
  for (const raw of executions) {
    const execution = await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
    const summary = summaryOf(execution);
    // A reset leaves a terminated execution behind under the same ID, and so does a resume.
    if (!summary || seen.ids.has(summary.workflowId) || !matches(summary, filter)) continue;
    seen.ids.add(summary.workflowId);
    found.push([summary, execution]);
  }
  const runs: RunSummary[] = [];
  while (found.length > 0) {
    const read = found.splice(0, AT_ONCE).map(async ([summary, execution]) => {
      const current = seen.firstIsLatest || (await isCurrent(context, summary));
      return current ? [await withDetails(context, summary, execution)] : [];
    });
    runs.push(...(await Promise.all(read)).flat());
  }
  return { runs, next: Buffer.from(nextPageToken).toString('base64url') || null };
}

/** What an entry of Temporal's index says of a run; `undefined`: it is no run's. */
function summaryOf(execution: WorkflowExecutionInfo): RunSummary | undefined {
  const { workflowId, runId, type, startTime, closeTime } = execution;
  const name = parseWorkflowId(workflowId);
  const forgotten = type === FORGOTTEN;
  if (!name || !(forgotten || type === AGENT_RUN)) return undefined;
  const { key = name.key, shadow } = memoOf(execution);
  return {
    workflowId,
    runId,
    agent: name.agent,
    tenant: name.tenant,
    key,
    status: forgotten ? 'forgotten' : statusOf(execution),
    shadow: shadow === true,
    error: null,
    ...(forgotten ? { waiting: [] } : waitingOf(execution)),
    costUsd: execution.typedSearchAttributes.get(COST) ?? null,
    startedAt: startTime.toISOString(),
    // The mark of a forgotten run is valid from its own start on.
    closedAt: (forgotten ? startTime : closeTime)?.toISOString() ?? null,
  };
}

/** Whether no reset, resume, forget or new run has taken the ID since. */
async function isCurrent(
  context: ClientContext,
  { closedAt, workflowId, runId }: RunSummary,
): Promise<boolean> {
  return closedAt === null || (await findExecution(context, workflowId))?.runId === runId;
}

/**
 * The summary, with what the index does not know: of a run that ended badly the error, of a
 * forgotten one what it was.
 */
async function withDetails(
  context: ClientContext,
  summary: RunSummary,
  execution: WorkflowExecutionInfo,
): Promise<RunSummary> {
  const { status, workflowId } = summary;
  if (status === 'failed' || status === 'cancelled') {
    return { ...summary, error: await readErrorCode(context, execution) };
  }
  const { predecessor } = memoOf(execution);
  if (status !== 'forgotten' || predecessor === undefined) return summary;
  const run = await findExecution(context, workflowId, predecessor);
  if (!run) return summary;
  const shadow = memoOf(run).shadow === true;
  return { ...summary, shadow, startedAt: run.startTime.toISOString() };
}

/**
 * The query narrows what the server sends, as far as its index knows: search attributes may be
 * switched off. `matches` has the last word.
 */
export function visibilityQuery(filter: ListFilter, searchAttributes: boolean): string {
  const { agent, tenant, status, startedAfter, startedBefore, costAtLeastUsd } = filter;
  if (agent !== undefined) assertName('agent', agent);
  if (tenant !== undefined) assertName('tenant', tenant);
  if (status !== undefined && !LISTED_STATUSES.includes(status)) {
    throw new AgentOnceError('usage', `A status is one of ${LISTED_STATUSES.join(', ')}.`);
  }
  // A forgotten run is an execution of another type, on top of it, without search attributes.
  const isForgotten = `WorkflowType = ${quote(FORGOTTEN)}`;
  const isRun = `WorkflowType = ${quote(AGENT_RUN)}`;
  const either = `WorkflowType IN (${quote(AGENT_RUN)}, ${quote(FORGOTTEN)})`;
  const terms = [status === undefined ? either : status === 'forgotten' ? isForgotten : isRun];
  const prefix = idPrefix(agent, tenant);
  if (prefix !== undefined) terms.push(`WorkflowId STARTS_WITH ${quote(prefix)}`);
  else if (agent !== undefined && searchAttributes && status !== 'forgotten') {
    const named = `AgentName = ${quote(agent)}`;
    terms.push(status === undefined ? `(${named} OR ${isForgotten})` : named);
  }
  if (costAtLeastUsd !== undefined) {
    if (!searchAttributes || !(costAtLeastUsd >= 0)) {
      const why = 'Runs are filtered by a cost from 0 on, and only with search attributes.';
      throw new AgentOnceError('usage', why);
    }
    terms.push(`AgentCostUsd >= ${costAtLeastUsd.toFixed(9)}`);
  }
  if (startedAfter !== undefined) terms.push(`StartTime > ${quote(startedAfter)}`);
  if (startedBefore !== undefined) terms.push(`StartTime < ${quote(startedBefore)}`);
  if (status === undefined) terms.push(`ExecutionStatus != 'ContinuedAsNew'`);
  else if (status !== 'forgotten')
    terms.push(`ExecutionStatus IN (${EXECUTION_STATUSES[status].map(quote).join(', ')})`);
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

function matches(summary: RunSummary, { agent, tenant, status }: ListFilter): boolean {
  return (
    (agent === undefined || summary.agent === agent) &&
    (tenant === undefined || summary.tenant === tenant) &&
    (status === undefined || summary.status === status)
  );
}
