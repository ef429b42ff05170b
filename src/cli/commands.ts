import { relative } from 'node:path';
import type { RunRef } from '../client/types.ts';
import { optionWith, runCommandLine, shellWord, tenantOptions } from '../contract/command-line.ts';

/** The command to type next, about a run, or about a step of it. */
export function commandFor(
  name: string,
  ref: Required<RunRef>,
  options: readonly string[] = [],
  step?: string,
): string {
  return `${invocation()} ${runCommandLine(name, ref, options, step)}`;
}

/** A command to type that is about no run, or about any. */
export function plainCommand(words: string): string {
  return `${invocation()} ${words}`;
}

/** What to do where no worker polls. */
export const START_A_WORKER = `Start one: ${plainCommand('worker')}`;

/** What stands in a command in the place of an input; `start` takes neither for one. */
export const INPUT_TO_FILL_IN = { any: '<the input>', same: '<the same input>' } as const;

/** The command that starts a run under a key; its input is for the caller to fill in. */
export function startCommandFor(
  ref: Required<RunRef>,
  options: readonly string[] = [],
  input = `--input '${INPUT_TO_FILL_IN.any}'`,
): string {
  return start(ref.agent, [
    optionWith('--key', ref.key),
    ...tenantOptions(ref.tenant),
    ...options,
    input,
  ]);
}

/** The command that goes on with a batch. */
export function batchCommandFor(
  batch: { agent: string; tenant: string; file: string; key: string },
  options: readonly string[] = [],
): string {
  const { agent, tenant, file, key } = batch;
  const named = [optionWith('--batch', file), optionWith('--key', key)];
  return start(agent, [...named, ...tenantOptions(tenant), ...options]);
}

function start(agent: string, options: readonly string[]): string {
  return [invocation(), 'start', agent, ...options].join(' ');
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
