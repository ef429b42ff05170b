import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import type { RunView } from '../src/client/types.ts';
import { AgentOnceError } from '../src/contract/errors.ts';
import type { OpenRun } from './judge.ts';
import type { FuzzedKey } from './operations.ts';

const LOOKS_EVERY_MS = 500;

/**
 * Waits until no run is open any more.
 *
 * @param limitMs for so long something must change
 * @returns those that did not end
 */
export async function settle(
  client: AgentOnceClient,
  agent: string,
  keys: readonly FuzzedKey[],
  limitMs: number,
): Promise<OpenRun[]> {
  let last = '';
  let lastChange = Date.now();
  for (;;) {
    const views = await Promise.all(keys.map(({ key }) => look(client, { agent, key })));
    const open = views.flatMap((view) => (view && view.closedAt === null ? [view] : []));
    if (open.length === 0) return [];
    const now = JSON.stringify(open);
    if (now !== last) lastChange = Date.now();
    last = now;
    if (Date.now() - lastChange >= limitMs) {
      return open.map(({ key, runId, status, waiting }) => ({
        key,
        runId,
        status,
        waiting: waiting.map(({ step, kind }) => `about ${step} (${kind})`),
      }));
    }
    await sleep(LOOKS_EVERY_MS);
  }
}

/** `undefined`: the key was forgotten. */
async function look(
  client: AgentOnceClient,
  run: { agent: string; key: string },
): Promise<RunView | undefined> {
  try {
    return await client.describe(run);
  } catch (error) {
    if (error instanceof AgentOnceError && error.code === 'run.not_found') return undefined;
    throw error;
  }
}
