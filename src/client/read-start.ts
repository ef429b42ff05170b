import { isGrpcServiceError } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
// Not public, and the only way that decodes as Temporal's client has encoded: codecs from the last
// to the first, each told whose payload it is.
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { AgentRunInput } from '../contract/run.ts';
import { request, type ClientContext } from './context.ts';
import { asAgentOnceError, GRPC } from './temporal-errors.ts';

export type ReadStart = Partial<AgentRunInput> | undefined;

/** What an execution was started with; `undefined`: its history is gone. */
export async function readStart(
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
