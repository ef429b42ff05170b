import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import type { Retained, RetainedRuns, ScopeRuns } from '../activities/retained-runs.ts';
import { isOpen, memoOf, scopeOf } from '../client/view.ts';
import { FORGOTTEN } from '../contract/names.ts';

const REQUEST_TIMEOUT_MS = 10_000;
/** Workflow IDs of one query: each may have 255 characters. */
const IDS_AT_ONCE = 20;

/**
 * Asks Temporal about executions. Descriptions come first: they are exact at any moment, and a run
 * that is under way is always the current one under its ID. The index, which may lag behind, adds
 * closed executions that nothing points to.
 */
export function createRetainedRuns(client: Client, home: RetainedRuns['home']): RetainedRuns {
  return {
    home,
    async retentionMs() {
      const { namespace } = client.options;
      const { config } = await ask(client, () =>
        client.workflowService.describeNamespace({ namespace }),
      );
      return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
    },
    async find(scopes) {
      const found = new Map<string, Retained>();
      await Promise.all(
        scopes.map(async (scope) => {
          const retained = await findDescribed(client, scope);
          if (retained !== undefined) found.set(scope.scope, retained);
        }),
      );
      await findIndexed(
        client,
        scopes.filter(({ scope }) => !found.has(scope)),
        found,
      );
      return found;
    },
  };
}

/** The current execution, and those that the ledger knows by their run IDs. */
async function findDescribed(
  client: Client,
  { scope, executions }: ScopeRuns,
): Promise<Retained | undefined> {
  let closed = false;
  for (const workflowId of workflowIdsOf([{ scope, executions }])) {
    const current = await describe(client, workflowId);
    if (current === undefined || current.type === FORGOTTEN) continue;
    if (scopeOf(current) !== scope) continue;
    if (isOpen(current)) return 'running';
    closed = true;
  }
  for (const { workflowId, runId } of executions) {
    if (closed) break;
    closed = (await describe(client, workflowId, runId)) !== undefined;
  }
  return closed ? 'closed' : undefined;
}

async function findIndexed(
  client: Client,
  scopes: ScopeRuns[],
  found: Map<string, Retained>,
): Promise<void> {
  const wanted = new Set(scopes.map(({ scope }) => scope));
  const ids = workflowIdsOf(scopes);
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const quoted = ids.slice(at, at + IDS_AT_ONCE).map(quote);
    const query = `WorkflowId IN (${quoted.join(', ')})`;
    const executions = client.workflow.list({ query, pageSize: 200 })[Symbol.asyncIterator]();
    for (;;) {
      const next = await ask(client, () => executions.next());
      if (next.done === true) break;
      const scope = await scopeOfListed(client, next.value);
      if (scope === undefined || !wanted.has(scope)) continue;
      found.set(scope, isOpen(next.value) ? 'running' : 'closed');
    }
  }
}

/** The index does not tell the first run of a chain. */
async function scopeOfListed(
  client: Client,
  listed: WorkflowExecutionInfo,
): Promise<string | undefined> {
  if (listed.type === FORGOTTEN) return undefined;
  const { scope } = memoOf(listed);
  if (scope !== undefined) return scope;
  const description = await describe(client, listed.workflowId, listed.runId);
  return description && scopeOf(description);
}

async function describe(client: Client, workflowId: string, runId?: string) {
  try {
    return await ask(client, () => client.workflow.getHandle(workflowId, runId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function ask<T>(client: Client, send: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + REQUEST_TIMEOUT_MS, send);
}

function workflowIdsOf(scopes: readonly ScopeRuns[]): string[] {
  return [
    ...new Set(scopes.flatMap(({ executions }) => executions.map(({ workflowId }) => workflowId))),
  ];
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
