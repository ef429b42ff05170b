import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { AgentOnceError } from '../src/contract/errors.ts';
import type { Answer } from './answer.ts';
import { performWith } from './library.ts';
import type { FuzzedKey, Operation } from './operations.ts';

/**
 * Takes a key through its life once, in order: a run fails after its first turn, is resumed,
 * completes, is forgotten, and the key begins anew. So each of these has happened, whatever the
 * processes do afterwards.
 *
 * @returns what every call was told; the last one what stopped it, where something did
 */
export async function openKey(
  client: AgentOnceClient,
  agent: string,
  { key, inputs: [input] }: FuzzedKey,
  limitMs: number,
): Promise<Answer[]> {
  const perform = performWith(client, agent);
  const answers: Answer[] = [];
  const does = async (operation: Operation, maxTurns: number): Promise<void> => {
    const order = { operation, key, input, maxTurns, retryFailed: false, approves: true };
    const told = await perform({ ...order, pauseMs: 0 });
    answers.push({ process: 0, surface: 'library', operation, key, ...told });
  };
  const ends = async (expected: string): Promise<boolean> => {
    const about = { process: 0, surface: 'library', operation: 'status', key } as const;
    try {
      const { status, error } = await client.result({ agent, key }, { timeoutMs: limitMs });
      const found = error?.code ?? status;
      if (found === expected) return true;
      answers.push({ ...about, code: `${found} in the place of ${expected}` });
    } catch (error) {
      if (!(error instanceof AgentOnceError)) throw error;
      answers.push({ ...about, code: error.code, text: error.message });
    }
    return false;
  };

  await does('start', 1);
  if (!(await ends('run.turn_limit'))) return answers;
  await does('resume', 8);
  if (!(await ends('completed'))) return answers;
  await does('forget', 8);
  await does('start', 8);
  return answers;
}
