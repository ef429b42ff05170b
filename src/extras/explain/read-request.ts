import type { Payload } from '@temporalio/common';
import type { ClientContext } from '../../client/context.ts';
import { readArgument, type ReadStart } from '../../client/read-start.ts';
import type { ResumeLimits } from '../../contract/run.ts';
import type { SentRequest } from './explanation.ts';

/** An execution's ID, and what it was started with, encoded. */
interface Started {
  workflowId: string;
  argument: Payload;
}

/**
 * What was asked for, from the argument of one of a run's executions; `null`: it cannot be read, or
 * is not in it, as after continue-as-new.
 *
 * @param withInput whether the input is wanted too
 */
export async function readRequest(
  context: ClientContext,
  started: Started,
  withInput: boolean,
): Promise<SentRequest | null> {
  const start = await read(context, started);
  if (!start || start.carried) return null;
  const { input, options } = start;
  return { ...(withInput && input !== undefined ? { input } : {}), options: options ?? {} };
}

/** The limits that an execution was started with, where it has any and they can be read. */
export async function readLimits(
  context: ClientContext,
  started: Started,
): Promise<ResumeLimits | undefined> {
  const limits = (await read(context, started))?.limits;
  return limits && Object.keys(limits).length > 0 ? limits : undefined;
}

async function read(context: ClientContext, { workflowId, argument }: Started): Promise<ReadStart> {
  try {
    return await readArgument(context, workflowId, [argument]);
  } catch {
    // A codec that this process does not have.
    return undefined;
  }
}
