import { isGrpcServiceError } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
// Not public, and the only way that decodes as Temporal's client has encoded: codecs from the last
// to the first, each told whose payload it is.
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { AgentRunInput } from '../contract/run.ts';
import { request, type ClientContext, type RunIdentity } from './context.ts';
import { getExecution } from './describe.ts';
import { startRun } from './start.ts';
import { asAgentOnceError, GRPC } from './temporal-errors.ts';
import type { ResumeOptions, StartedRun } from './types.ts';
import { firstRunIdOf, memoOf } from './view.ts';

/** See `AgentOnceClient.resume`. The request is read from Temporal; the same resume twice is one. */
export async function resumeRun(
  context: ClientContext,
  run: RunIdentity,
  { limits: given }: ResumeOptions = {},
): Promise<StartedRun> {
  const execution = await getExecution(context, run);
  const { workflowId, agent, tenant } = run;
  // The first of a chain that continued as new has the input; the others need it no more.
  const first = firstRunIdOf(execution);
  const own = await readStart(context, workflowId, execution.runId);
  const start = isWhole(own) ? own : await readStart(context, workflowId, first);
  if (!isWhole(start)) {
    throw new AgentOnceError(
      'run.request_unknown',
      'Temporal no longer has the request of this run, so it cannot be resumed without it. Nothing was started, and what is recorded is kept.',
    );
  }
  const { input, options } = start;
  // Where only the ID is known, it may hold the key's hash.
  const { key = run.key } = memoOf(execution);
  const limits = given ?? start.limits;
  const request = { agent, tenant, key, ...defined({ input, options, limits }) };
  return startRun(context, { ...request, retryFailed: true }, run);
}

type ReadStart = Partial<AgentRunInput> | undefined;

function isWhole(start: ReadStart): start is Partial<AgentRunInput> {
  return start?.v === 1 && start.carried === undefined;
}

/** What an execution was started with; `undefined`: its history is gone. */
async function readStart(
  context: ClientContext,
  workflowId: string,
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
    if (isGrpcServiceError(error) && error.code === GRPC.NOT_FOUND) return undefined;
    throw asAgentOnceError(error, temporal);
  }
}

/**
 * The argument that an execution was started with. Of one that continued as new it lacks the input.
 *
 * @throws what the data converter throws: this process may lack the codec
 */
export function readArgument(
  { temporal }: Pick<ClientContext, 'temporal'>,
  workflowId: string,
  payloads: readonly Payload[],
): Promise<ReadStart> {
  const { namespace, loadedDataConverter } = temporal.options;
  const owner = { type: 'workflow', namespace, workflowId } as const;
  return decodeFromPayloadsAtIndex(loadedDataConverter, 0, [...payloads], owner);
}
