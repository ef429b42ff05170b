import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { AgentOnceError } from '../contract/errors.ts';
import { AGENT_RUN, FORGOTTEN } from '../contract/names.ts';
import type { RunState } from '../contract/run.ts';
import { request, type ClientContext, type RunIdentity } from './context.ts';
import { readState } from './live-state.ts';
import { readOutcome } from './outcome.ts';
import { asAgentOnceError, targetOf } from './temporal-errors.ts';
import type { RunView } from './types.ts';
import { firstRunIdOf, isOpen, isShortened, viewOf } from './view.ts';

/**
 * The current execution under a run's ID, or the one named; `undefined` when there is none. One request
 * for all who look at this moment.
 *
 * @throws {AgentOnceError} `temporal.…`
 */
export async function findExecution(
  context: ClientContext,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | undefined> {
  const handle = context.temporal.workflow.getHandle(workflowId, runId);
  try {
    const found = await context.shared.ask(`look at ${workflowId} ${runId ?? ''}`, () =>
      request(context, () => handle.describe()),
    );
    // What is shown of it is each caller's own, to be changed at will.
    return { ...found, memo: structuredClone(found.memo ?? {}) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw asAgentOnceError(error, context.temporal);
  }
}

/** What an execution has continued as; Temporal may show itself as the current one for a moment. */
export async function successorOf(
  context: ClientContext,
  { workflowId }: RunIdentity,
  execution: WorkflowExecutionDescription,
): Promise<WorkflowExecutionDescription | undefined> {
  for (let tries = 0; tries < 5; tries++) {
    const now = await findExecution(context, workflowId);
    if (!now || firstRunIdOf(now) !== firstRunIdOf(execution)) return undefined;
    if (now.runId !== execution.runId) return now;
    if (!isOpen(now)) return undefined;
    await sleep(100);
  }
  return undefined;
}

/**
 * The current execution of a run, or the one named.
 *
 * @throws {AgentOnceError} `run.not_found`, `temporal.…`
 */
export async function getExecution(
  context: ClientContext,
  run: RunIdentity,
  runId?: string,
): Promise<WorkflowExecutionDescription> {
  const found = await findExecution(context, run.workflowId, runId);
  if (found?.type === AGENT_RUN) return found;
  if (found?.type === FORGOTTEN) {
    throw new AgentOnceError(
      'run.not_found',
      `The run of agent "${run.agent}" under this key was forgotten: the key is new.`,
    );
  }
  const { namespace } = targetOf(context.temporal);
  throw new AgentOnceError(
    'run.not_found',
    `There is no run of agent "${run.agent}" under this key (tenant "${run.tenant}", namespace "${namespace}"). Keys are case-sensitive, and Temporal forgets a run some time after it ended: its namespace's retention.`,
  );
}

/** The run as it is now; of a running one the worker is asked for its state. */
export async function describeRun(context: ClientContext, run: RunIdentity): Promise<RunView> {
  const execution = await getExecution(context, run);
  if (!isOpen(execution)) return readOutcome(context, run, execution);
  const view = viewOf(run, execution);
  const state = await readState(context, run.workflowId);
  if (!state) return view;
  // The state may have moved on since the description: it may even have ended in between.
  const status = state.status === 'waiting' ? 'waiting' : view.status;
  return { ...withQuestions(view, state), status, usage: state.usage };
}

/** The view with all that the run asks, for whoever has the run's own word. */
export function withQuestions(view: RunView, { waiting }: RunState): RunView {
  const { waitingMore: _known, ...rest } = view;
  return { ...rest, waiting };
}

/**
 * The view of an open execution with everything that it asks people: where the description leaves
 * some of it out, a worker is asked.
 */
export async function viewWithQuestions(
  context: ClientContext,
  run: RunIdentity,
  execution: WorkflowExecutionDescription,
): Promise<RunView> {
  const view = viewOf(run, execution);
  if (!isShortened(execution)) return view;
  const state = await readState(context, run.workflowId);
  return state ? withQuestions(view, state) : view;
}
