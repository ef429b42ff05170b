import type { Payload } from '@temporalio/common';
import { WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { ask, request, type ClientContext, type RunIdentity } from '../../client/context.ts';
import { asAgentOnceError } from '../../client/temporal-errors.ts';
import { memoOf } from '../../client/view.ts';
import { AGENT_RUN } from '../../contract/names.ts';
import type { RunMemo } from '../../contract/run.ts';
import { explainExecution, goneExecution, type Facts } from './explain-execution.ts';
import type { ExplainedExecution } from './explanation.ts';

/** A key that is resumed without end is told from its end. */
const MOST = 50;

export interface Executions {
  /** Oldest first; the current one is last. */
  executions: ExplainedExecution[];
  /** Memos by run ID. */
  memos: Map<string, Partial<RunMemo>>;
  /** What runs were started with, encoded, by run ID. */
  arguments: Map<string, Payload>;
  /** Whether there may be more that were not looked at. */
  cut: boolean;
  /** Temporal's index could not be asked. */
  indexFailed: boolean;
}

/**
 * All executions under a run's ID. Each names the one that it follows, in its memo or in its first
 * event, which is certain; Temporal's index knows the others, and lags behind.
 *
 * @throws {AgentOnceError} `temporal.…`
 */
export async function readExecutions(
  context: ClientContext,
  run: RunIdentity,
  current: WorkflowExecutionDescription,
): Promise<Executions> {
  const found = new Map<string, Facts | undefined>();
  const follow = async (runIds: string[]): Promise<void> => {
    const queue = [...runIds];
    for (let at = queue.pop(); at !== undefined && found.size < MOST; at = queue.pop()) {
      if (at === '' || found.has(at)) continue;
      const facts = await readFacts(context, run, at);
      found.set(at, facts);
      if (facts) queue.push(...predecessorsOf(facts));
    }
  };
  await follow([current.runId]);
  const indexed = await listRunIds(context, run.workflowId);
  await follow(indexed ?? []);

  const all = [...found.values()].filter((facts) => facts !== undefined);
  const resets = new Set(all.map(({ description }) => resetRunIdOf(description)));
  const executions = await Promise.all(
    [...found].map(async ([runId, facts]) =>
      facts ? explainExecution(context, run, facts, resets) : goneExecution(runId),
    ),
  );
  return {
    executions: inOrder(executions, current.runId),
    memos: new Map(all.map(({ description }) => [description.runId, memoOf(description)])),
    arguments: new Map(
      all.flatMap(({ description, argument }) =>
        argument && description.type === AGENT_RUN ? [[description.runId, argument]] : [],
      ),
    ),
    cut: found.size >= MOST,
    indexFailed: indexed === undefined,
  };
}

/** `undefined`: Temporal has deleted it. */
async function readFacts(
  context: ClientContext,
  { workflowId }: RunIdentity,
  runId: string,
): Promise<Facts | undefined> {
  const { temporal } = context;
  const { namespace } = temporal.options;
  try {
    const [description, { history }] = await Promise.all([
      request(context, () => temporal.workflow.getHandle(workflowId, runId).describe()),
      request(context, () =>
        temporal.workflowService.getWorkflowExecutionHistory({
          namespace,
          execution: { workflowId, runId },
          maximumPageSize: 1,
        }),
      ),
    ]);
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    return {
      description,
      continuedFrom: started?.continuedExecutionRunId ?? '',
      writtenBy: started?.originalExecutionRunId ?? runId,
      startedBy: started?.identity || null,
      argument: started?.input?.payloads?.[0] ?? undefined,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isNotFound(error)) return undefined;
    throw asAgentOnceError(error, temporal);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 5;
}

function predecessorsOf({ description, continuedFrom, writtenBy }: Facts): string[] {
  const follows = continuedFrom || (memoOf(description).predecessor ?? '');
  return [follows, writtenBy];
}

async function listRunIds(
  context: ClientContext,
  workflowId: string,
): Promise<string[] | undefined> {
  try {
    return await ask(context, async () => {
      const runIds: string[] = [];
      const query = `WorkflowId = '${workflowId}'`;
      for await (const { runId } of context.temporal.workflow.list({ query, pageSize: MOST })) {
        runIds.push(runId);
        if (runIds.length >= MOST) break;
      }
      return runIds;
    });
  } catch {
    // What is certain is known already.
    return undefined;
  }
}

function resetRunIdOf({ raw }: WorkflowExecutionDescription): string {
  return raw.workflowExtendedInfo?.resetRunId ?? '';
}

/** What is gone was before all that is left. */
function inOrder(executions: ExplainedExecution[], currentRunId: string): ExplainedExecution[] {
  const rank = ({ runId, startedAt }: ExplainedExecution): string =>
    runId === currentRunId ? '~' : (startedAt ?? '');
  return executions.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

/**
 * Whether the agent was defined otherwise when one of a run's executions was started than when the
 * one before it was; `null` where there was one only, or callers did not know the definition.
 */
export function definitionChanged(
  executions: readonly ExplainedExecution[],
  memos: ReadonlyMap<string, Partial<RunMemo>>,
  scope: string,
): boolean | null {
  const definitions = executions
    .filter((execution) => execution.scope === scope && execution.intent !== 'forgotten')
    .map(({ runId }) => memos.get(runId)?.definition)
    .filter((definition) => definition !== undefined);
  return definitions.length < 2 ? null : new Set(definitions).size > 1;
}
