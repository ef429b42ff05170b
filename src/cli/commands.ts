import { relative } from 'node:path';
import type { RunRef } from '../client/types.ts';
import { DEFAULT_TENANT } from '../contract/key.ts';
import { shellWord } from './output.ts';

/** The command to type next, about a run, or about a step of it. */
export function commandFor(name: string, ref: Required<RunRef>, flags = '', step = ''): string {
  const tenant = ref.tenant === DEFAULT_TENANT ? '' : ` --tenant ${ref.tenant}`;
  const names = [ref.agent, shellWord(ref.key), step].filter(Boolean).join(' ');
  return `${invocation()} ${name} ${names}${tenant}${flags}`;
}

/** What stands in a command in the place of an input; `start` takes neither for one. */
export const INPUT_TO_FILL_IN = { any: '<the input>', same: '<the same input>' } as const;

/** The command that starts a run under a key; its input is for the caller to fill in. */
export function startCommandFor(
  ref: Required<RunRef>,
  flags = '',
  input = `--input '${INPUT_TO_FILL_IN.any}'`,
): string {
  const tenant = ref.tenant === DEFAULT_TENANT ? '' : ` --tenant ${ref.tenant}`;
  return `${invocation()} start ${ref.agent} --key ${shellWord(ref.key)}${tenant}${flags} ${input}`;
}

/** The command that goes on with a batch. */
export function batchCommandFor(
  batch: { agent: string; tenant: string; file: string; key: string },
  flags = '',
): string {
  const tenant = batch.tenant === DEFAULT_TENANT ? '' : ` --tenant ${batch.tenant}`;
  return `${invocation()} start ${batch.agent} --batch ${shellWord(batch.file)} --key ${shellWord(batch.key)}${tenant}${flags}`;
}

/** How this command was called: in a checkout nothing puts `agent-once` on the PATH. */
function invocation(): string {
  const script = process.argv[1] ?? '';
  if (!script.endsWith('.js')) return 'agent-once';
  const path = relative(process.cwd(), script);
  return `node ${shellWord(path.startsWith('..') ? script : path)}`;
}

/** Exit codes of what is no error; the others are in `ERRORS`. */
export const EXIT = {
  done: 0,
  conflict: 3,
  failed: 4,
  stillRunning: 7,
  waiting: 8,
  interrupted: 130,
} as const;
