import type { WorkflowExecutionInfo } from '@temporalio/client';
// Not public, and the only way to a page's token: `list` keeps it to itself.
import { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
import { AgentOnceError } from '../contract/errors.ts';
import { assertName, DEFAULT_TENANT, workflowIdPrefix } from '../contract/key.ts';
import { AGENT_RUN, FORGOTTEN } from '../contract/names.ts';
import { LISTED_STATUSES, type ListedStatus, type RunStatus } from '../contract/run.ts';
import { ask, type ClientContext } from './context.ts';
import { findExecution } from './describe.ts';
import { mapAhead } from './map-ahead.ts';
import { summaryOf, withDetails } from './summary.ts';
import type { ListFilter, RunSummary } from './types.ts';

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

/** An entry of Temporal's index, and what it says of a run. */
interface Entry {
  execution: WorkflowExecutionInfo;
  summary: RunSummary;
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
  const limit = filter.limit ?? Infinity;
  if (limit < 1) return;
  let yielded = 0;
  // The index has the latest of an ID first: only a filter can have hidden that one.
  const look = (entry: Entry) => readEntry(context, entry, filter.status !== undefined);
  for await (const summary of mapAhead(entriesOf(context, filter), AT_ONCE, look)) {
    if (!summary) continue;
    yield summary;
    yielded += 1;
    if (yielded >= limit) return;
  }
}

async function* entriesOf(context: ClientContext, filter: ListFilter): AsyncGenerator<Entry> {
  const query = visibilityQuery(filter, context.searchAttributes);
  // A reset leaves a terminated execution behind under the same ID, and so does a resume.
  const seen = new Set<string>();
  const pageSize = Math.min(filter.limit ?? Infinity, 200);
  const executions = context.temporal.workflow.list({ query, pageSize })[Symbol.asyncIterator]();
  for (;;) {
    const next = await ask(context, () => executions.next());
    if (next.done === true) return;
    const execution = next.value;
    const summary = summaryOf(execution);
    if (!summary || seen.has(summary.workflowId) || !matches(summary, filter)) continue;
    seen.add(summary.workflowId);
    yield { execution, summary };
  }
}

export interface RunPage {
  runs: RunSummary[];
  /** `null`: it was the last one. */
  next: string | null;
}

export async function listPage(
  context: ClientContext,
  filter: ListFilter & { workflowIds?: readonly string[] },
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<RunPage> {
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
  const entries = new Map<string, Entry>();
  for (const raw of answer.executions) {
    const execution = await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
    const summary = summaryOf(execution);
    if (!summary || !matches(summary, known) || entries.has(summary.workflowId)) continue;
    entries.set(summary.workflowId, { execution, summary });
  }
  const runs: RunSummary[] = [];
  // A later execution may have been on a page before.
  const look = (entry: Entry) => readEntry(context, entry, true);
  for await (const summary of mapAhead(entries.values(), AT_ONCE, look)) {
    if (summary) runs.push(summary);
  }
  const next = Buffer.from(answer.nextPageToken).toString('base64url');
  return { runs, next: next === '' ? null : next };
}

/** @param askCurrent whether a reset, resume, forget or new run may have taken the ID since */
async function readEntry(
  context: ClientContext,
  { summary, execution }: Entry,
  askCurrent: boolean,
): Promise<RunSummary | undefined> {
  if (askCurrent && summary.closedAt !== null) {
    const current = await findExecution(context, summary.workflowId);
    if (current?.runId !== summary.runId) return undefined;
  }
  return withDetails(context, summary, execution);
}

/**
 * The query narrows what the server sends, as far as its index knows: search attributes may be
 * switched off. `matches` has the last word.
 */
export function visibilityQuery(filter: ListFilter, searchAttributes: boolean): string {
  const { agent, tenant, status } = filter;
  if (agent !== undefined) assertName('agent', agent);
  if (tenant !== undefined) assertName('tenant', tenant);
  if (status !== undefined && !LISTED_STATUSES.includes(status)) {
    throw new AgentOnceError('usage', `A status is one of ${LISTED_STATUSES.join(', ')}.`);
  }
  const terms = [typeTerm(status)];
  const prefix = idPrefix(agent, tenant);
  if (prefix !== undefined) terms.push(`WorkflowId STARTS_WITH ${quote(prefix)}`);
  else if (agent !== undefined && searchAttributes) terms.push(agentTerm(agent, status));
  if (status === undefined) terms.push(`ExecutionStatus != 'ContinuedAsNew'`);
  else if (status !== 'forgotten')
    terms.push(`ExecutionStatus IN (${EXECUTION_STATUSES[status].map(quote).join(', ')})`);
  if (status === 'waiting' && searchAttributes) terms.push(`AgentStatus = 'waiting'`);
  return terms.join(' AND ');
}

/** A forgotten run is an execution of another type, which is put on top of it. */
function typeTerm(status: ListedStatus | undefined): string {
  if (status === 'forgotten') return `WorkflowType = ${quote(FORGOTTEN)}`;
  if (status !== undefined) return `WorkflowType = ${quote(AGENT_RUN)}`;
  return `WorkflowType IN (${quote(AGENT_RUN)}, ${quote(FORGOTTEN)})`;
}

/** Those executions have no search attributes. */
function agentTerm(agent: string, status: ListedStatus | undefined): string {
  const term = `AgentName = ${quote(agent)}`;
  const marked = `WorkflowType = ${quote(FORGOTTEN)}`;
  if (status === 'forgotten') return marked;
  return status === undefined ? `(${term} OR ${marked})` : term;
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
