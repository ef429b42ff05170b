import type { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import type { RunRef, RunView, WaitOptions } from '../../src/client/types.ts';
import { NET_MS } from './nets.ts';

/** Waits for a run's end. Where that does not come, the error says how far the run is. */
export async function untilEnd(
  client: Pick<AgentOnceClient, 'result' | 'describe'>,
  run: RunRef,
  options: Omit<WaitOptions, 'timeoutMs'> = {},
): Promise<RunView> {
  try {
    return await client.result(run, { ...options, timeoutMs: NET_MS });
  } catch (error) {
    if ((error as { code?: string }).code !== 'run.still_running') throw error;
    const view = await client.describe(run);
    throw new Error(
      `The run ${run.agent} ${run.key} has not ended within ${NET_MS / 1_000} s: ${JSON.stringify(view)}`,
      { cause: error },
    );
  }
}
