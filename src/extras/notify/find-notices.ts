import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { ClientContext, RunIdentity } from '../../client/context.ts';
import { identifyById } from '../../client/context.ts';
import { findExecution, viewWithQuestions } from '../../client/describe.ts';
import { listRuns, visibilityQuery } from '../../client/list.ts';
import { readOutcome } from '../../client/outcome.ts';
import type { RunView } from '../../client/types.ts';
import { firstRunIdOf, isOpen, memoOf, scopeOf } from '../../client/view.ts';
import { AGENT_RUN } from '../../contract/names.ts';
import { noticeId, type Notice } from './notice.ts';

/** What somebody is to be told, and of which execution. */
export interface Found {
  /** The same for as long as it is about the same: it is read once. */
  place: string;
  scope: string;
  workflowId: string;
  runId: string;
  notice: Notice;
}

/** Something that may have to be told; `read` says what, and nothing where that is over by now. */
export interface Candidate {
  /** Where it was seen: of these places it says all. */
  places: string[];
  /** There is more than the places say, which only the run itself knows. */
  more: boolean;
  read(): Promise<Found[]>;
}

/** Where a person finds a run, or what it asks about a step. */
export type LinkOf = (workflowId: string, step?: string) => string;

/** Runs that wait for people, as Temporal's index has them. Shadow runs do nothing: nobody is told. */
export async function* findWaiting(
  context: ClientContext,
  linkOf: LinkOf,
): AsyncGenerator<Candidate> {
  for await (const run of listRuns(context, { status: 'waiting' })) {
    if (run.shadow) continue;
    yield {
      places: run.waiting.map((question) => placeOf(run, question)),
      more: run.waitingMore !== undefined,
      read: () => readWaiting(context, run.workflowId, linkOf),
    };
  }
}

/** Runs that have failed since then. One that was resumed, reset or forgotten has failed no more. */
export async function* findFailed(
  context: ClientContext,
  since: Date,
  linkOf: LinkOf,
): AsyncGenerator<Candidate> {
  const failed = visibilityQuery({ status: 'failed' }, context.searchAttributes);
  const query = `${failed} AND CloseTime >= '${since.toISOString()}'`;
  for await (const execution of context.temporal.workflow.list({ query })) {
    if (memoOf(execution).shadow) continue;
    yield {
      places: [placeOf(execution)],
      more: false,
      read: () => readFailed(context, execution, linkOf),
    };
  }
}

/** Whether it is still an execution's last word that it has failed. */
export async function hasFailed(
  context: ClientContext,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<boolean> {
  return (await findExecution(context, workflowId))?.runId === runId;
}

function placeOf(
  { workflowId, runId }: { workflowId: string; runId: string },
  question?: { step: string; kind: string; round: number },
): string {
  const { step, kind, round } = question ?? {};
  return JSON.stringify([workflowId, runId, step, kind, round]);
}

async function readWaiting(
  context: ClientContext,
  workflowId: string,
  linkOf: LinkOf,
): Promise<Found[]> {
  const found = await findRun(context, workflowId);
  if (!found || !isOpen(found.execution)) return [];
  const { run, execution } = found;
  const scope = scopeOf(execution);
  const view = await viewWithQuestions(context, run, execution);
  return view.waiting.map((question): Found => {
    const { step, kind, round, tool, summary, askedAt, deadline, otherwise } = question;
    return {
      place: placeOf(view, question),
      scope,
      workflowId,
      runId: view.runId,
      notice: {
        type: 'run.waiting',
        id: noticeId(scope, 'waiting', step, kind, round),
        timestamp: askedAt,
        data: {
          ...about(view, linkOf(workflowId, step)),
          step,
          kind,
          tool,
          summary,
          deadline,
          otherwise,
        },
      },
    };
  });
}

async function readFailed(
  context: ClientContext,
  { workflowId, runId }: { workflowId: string; runId: string },
  linkOf: LinkOf,
): Promise<Found[]> {
  const found = await findRun(context, workflowId);
  if (found?.execution.runId !== runId) return [];
  const { run, execution } = found;
  const { error, closedAt, ...view } = await readOutcome(context, run, execution);
  if (error === null || closedAt === null) return [];
  const scope = scopeOf(execution);
  return [
    {
      place: placeOf(view),
      scope,
      workflowId,
      runId,
      notice: {
        type: 'run.failed',
        // A reset keeps the first execution; a run that is resumed has another, and may fail anew.
        id: noticeId(scope, 'failed', firstRunIdOf(execution)),
        timestamp: closedAt,
        data: { ...about(view, linkOf(workflowId)), error },
      },
    },
  ];
}

async function findRun(
  context: ClientContext,
  workflowId: string,
): Promise<{ run: RunIdentity; execution: WorkflowExecutionDescription } | undefined> {
  const run = identifyById(workflowId);
  const execution = await findExecution(context, workflowId);
  return run && execution?.type === AGENT_RUN ? { run, execution } : undefined;
}

function about(
  { agent, tenant, key, workflowId }: Omit<RunView, 'error' | 'closedAt'>,
  url: string,
) {
  return { agent, tenant, key, runId: workflowId, url };
}
