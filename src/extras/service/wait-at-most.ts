import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import type { RunIdentity } from '../../client/context.ts';
import { findExecution } from '../../client/describe.ts';
import type { RunView } from '../../client/types.ts';
import { questionsOf } from '../../client/view.ts';
import { AgentOnceError } from '../../contract/errors.ts';

const LOOK_EVERY_MS = 2_000;

/**
 * The run when it has ended, waits for a person, or the time is over: whichever comes first.
 *
 * @param runId of the execution that is meant, whatever the key names by now
 * @throws {AgentOnceError} `run.not_found`, `temporal.…`; the signal's reason
 */
export async function waitAtMost(
  client: AgentOnceClient,
  run: RunIdentity,
  seconds: number,
  signal: AbortSignal,
  runId?: string,
): Promise<RunView> {
  const asked = new AbortController();
  const either = AbortSignal.any([signal, asked.signal]);
  const done = new AbortController();
  void whenAsked(client, run, done.signal).then((waits) => {
    if (waits) asked.abort(new AgentOnceError('run.waiting', 'The run waits for a person.'));
  });
  try {
    const named = runId === undefined ? {} : { runId };
    return await client.result(run, { ...named, timeoutMs: seconds * 1_000, signal: either });
  } catch (error) {
    signal.throwIfAborted();
    const early = error instanceof AgentOnceError ? error.code : undefined;
    if (early !== 'run.still_running' && early !== 'run.waiting') throw error;
    return await client.describe(run);
  } finally {
    done.abort();
  }
}

async function whenAsked(
  client: AgentOnceClient,
  { workflowId }: RunIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
    // Whether the server answers is the waiting's business.
    const found = await findExecution(client.context, workflowId).catch(() => undefined);
    if (found && questionsOf(found).length > 0) return true;
  }
  return false;
}
