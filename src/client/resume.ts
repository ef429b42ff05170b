import { isGrpcServiceError } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { AgentOnceError } from '../contract/errors.ts';
import type { AgentRunInput } from '../contract/run.ts';
import { request, type ClientContext, type RunIdentity } from './context.ts';
import { getExecution } from './describe.ts';
import { readArgument } from './read-argument.ts';
import { startRun } from './start.ts';
import { asAgentOnceError } from './temporal-errors.ts';
import type { ResumeOptions, StartedRun } from './types.ts';
import { firstRunIdOf, memoOf } from './view.ts';

/** Status code of gRPC. */
const NOT_FOUND = 5;

/**
 * Goes on with a run that has failed, or was cancelled or terminated. Its request is read from
 * Temporal. One that is under way or has completed is answered as it stands (`replayed`), so that
 * the same resume twice is one.
 *
 * @throws {AgentOnceError} `run.not_found`; `run.expired`; `run.request_unknown`; `temporal.…`;
 *   those of `startRun`. Nothing was started then
 */
export async function resumeRun(
  context: ClientContext,
  run: RunIdentity,
  { limits: given }: ResumeOptions = {},
): Promise<StartedRun> {
  const execution = await getExecution(context, run);
  const own = await readStart(context, run, execution.runId);
  // The first of a chain that continued as new has the input; the others need it no more.
  const { input, options, ...before } = isWhole(own)
    ? own
    : wholeOf(await readStart(context, run, firstRunIdOf(execution)));
  const limits = given ?? before.limits;
  return startRun(
    context,
    {
      agent: run.agent,
      tenant: run.tenant,
      // Where only the ID is known, it may hold the key's hash.
      key: memoOf(execution).key ?? run.key,
      retryFailed: true,
      ...(input === undefined ? {} : { input }),
      ...(options === undefined ? {} : { options }),
      ...(limits === undefined ? {} : { limits }),
    },
    run,
  );
}

type ReadStart = Partial<AgentRunInput> | undefined;

function isWhole(start: ReadStart): start is Partial<AgentRunInput> {
  return start?.v === 1 && start.carried === undefined;
}

function wholeOf(start: ReadStart): Partial<AgentRunInput> {
  if (isWhole(start)) return start;
  throw new AgentOnceError(
    'run.request_unknown',
    'Temporal no longer has the request of this run, so it cannot be resumed without it. Nothing was started, and what is recorded is kept.',
  );
}

/** What an execution was started with; `undefined`: its history is gone. */
async function readStart(
  context: ClientContext,
  { workflowId }: RunIdentity,
  runId: string,
): Promise<ReadStart> {
  const { temporal } = context;
  try {
    const { history } = await request(context, () =>
      temporal.workflowService.getWorkflowExecutionHistory({
        namespace: temporal.options.namespace,
        execution: { workflowId, runId },
        maximumPageSize: 1,
      }),
    );
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
    const payloads = (started?.input?.payloads ?? []) as Payload[];
    return payloads.length === 0 ? undefined : await readArgument(context, workflowId, payloads);
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === NOT_FOUND) return undefined;
    throw asAgentOnceError(error, temporal);
  }
}
