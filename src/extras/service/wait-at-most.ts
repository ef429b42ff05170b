import type { AgentOnceClient } from '../../client/agent-once-client.ts';
import type { RunIdentity } from '../../client/context.ts';
import type { RunView } from '../../client/types.ts';
import { AgentOnceError } from '../../contract/errors.ts';

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
  const named = runId === undefined ? {} : { runId };
  const options = { ...named, timeoutMs: seconds * 1_000, signal, untilWaiting: true };
  try {
    return await client.result(run, options);
  } catch (error) {
    signal.throwIfAborted();
    const early = error instanceof AgentOnceError ? error.code : undefined;
    if (early !== 'run.still_running' && early !== 'run.waiting') throw error;
    return await client.describe(run);
  }
}
