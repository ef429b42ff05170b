import type { Payload } from '@temporalio/common';
import type { ClientContext } from '../../client/context.ts';
import { readArgument } from '../../client/resume.ts';
import type { SentRequest } from './explanation.ts';

/**
 * What was asked for, from the argument of one of a run's executions; `null`: it cannot be read, or
 * is not in it, as after continue-as-new.
 *
 * @param withInput whether the input is wanted too
 */
export async function readRequest(
  context: ClientContext,
  { workflowId, argument }: { workflowId: string; argument: Payload },
  withInput: boolean,
): Promise<SentRequest | null> {
  try {
    const start = await readArgument(context, workflowId, [argument]);
    if (!start || start.carried) return null;
    const { input, options } = start;
    return { ...(withInput && input !== undefined ? { input } : {}), options: options ?? {} };
  } catch {
    // A codec that this process does not have.
    return null;
  }
}
