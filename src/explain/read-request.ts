import type { Payload } from '@temporalio/common';
import type { ClientContext } from '../client/context.ts';
import type { AgentRunInput } from '../contract/run.ts';
import type { SentRequest } from './explanation.ts';

/**
 * What was asked for, from the argument of one of a run's executions; `null`: it cannot be read, or
 * is not in it, as after continue-as-new.
 *
 * @param withInput whether the input is wanted too
 */
export async function readRequest(
  { temporal }: ClientContext,
  argument: Payload,
  withInput: boolean,
): Promise<SentRequest | null> {
  const { payloadConverter, payloadCodecs } = temporal.options.loadedDataConverter;
  try {
    let payloads = [argument];
    for (const codec of payloadCodecs) payloads = await codec.decode(payloads);
    const [payload] = payloads;
    if (!payload) return null;
    const { input, options, carried } =
      payloadConverter.fromPayload<Partial<AgentRunInput>>(payload);
    if (carried) return null;
    return { ...(withInput && input !== undefined ? { input } : {}), options: options ?? {} };
  } catch {
    // A codec that this process does not have.
    return null;
  }
}
