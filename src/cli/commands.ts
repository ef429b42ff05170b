import type { RunRef } from '../client/types.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import { shellWord } from './output.ts';

/** The command to type next, about a run. */
export function commandFor(name: string, ref: Required<RunRef>, flags = ''): string {
  const tenant = ref.tenant === DEFAULT_TENANT ? '' : ` --tenant ${ref.tenant}`;
  return `agent-once ${name} ${ref.agent} ${shellWord(ref.key)}${tenant}${flags}`;
}

/** Exit code of a run's outcome; one that has not ended is no failure of the command. */
export const EXIT = { done: 0, failed: 4, stillRunning: 7, waiting: 8, interrupted: 130 } as const;
