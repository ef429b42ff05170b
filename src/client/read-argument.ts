import type { Payload } from '@temporalio/common';
// Not public, and the only way that decodes as Temporal's client has encoded: codecs from the last
// to the first, each told whose payload it is.
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { AgentRunInput } from '../contract/run.ts';
import type { ClientContext } from './context.ts';

/**
 * The argument that an execution was started with. Of one that continued as new it lacks the input.
 *
 * @throws what the data converter throws: this process may lack the codec
 */
export function readArgument(
  { temporal }: Pick<ClientContext, 'temporal'>,
  workflowId: string,
  payloads: readonly Payload[],
): Promise<Partial<AgentRunInput> | undefined> {
  const { namespace, loadedDataConverter } = temporal.options;
  const owner = { type: 'workflow', namespace, workflowId } as const;
  return decodeFromPayloadsAtIndex(loadedDataConverter, 0, [...payloads], owner);
}
