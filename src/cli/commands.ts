import { relative } from 'node:path';
import type { RunRef } from '../client/types.ts';
import { optionWith, runCommandLine, shellWord, tenantOptions } from '../contract/command-line.ts';

/** Commands of this program, once it is composed: extras bring some of them along. */
let known: ReadonlySet<string> | undefined;

/** Says which commands this program has: no other is advised from then on. */
export function adviseOnly(names: Iterable<string>): void {
  known = new Set(names);
}

export function hasCommand(name: string): boolean {
  return known?.has(name) ?? true;
}

/** A line of advice that ends with a command about a run; none where this program lacks it. */
export function advise(
  words: string,
  name: string,
  ref: Required<RunRef>,
  options: readonly string[] = [],
): string[] {
  return hasCommand(name) ? [`${words} ${commandFor(name, ref, options)}`] : [];
}

/** The command to type next, about a run, or about a step of it. */
export function commandFor(
  name: string,
  ref: Required<RunRef>,
  options: readonly string[] = [],
  step?: string,
): string {
  return plainCommand(runCommandLine(name, ref, options, step));
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
  { agent, tenant, key }: Required<RunRef>,
  options: readonly string[] = [],
  input: string = INPUT_TO_FILL_IN.any,
): string {
  const named = [optionWith('--key', key), ...tenantOptions(tenant), ...options];
  return plainCommand(['start', agent, ...named, `--input '${input}'`].join(' '));
}

/** How this command was called: in a checkout nothing puts `agent-once` on the PATH. */
function invocation(): string {
  const script = process.argv[1] ?? '';
  if (!script.endsWith('.js')) return 'agent-once';
  const path = relative(process.cwd(), script);
  return `node ${shellWord(path.startsWith('..') ? script : path)}`;
}

export type ServingPart = 'worker' | 'service';

/** What a command is that goes on until it is told to stop; `undefined`: it does its work and ends. */
export function servingPart(command: string | undefined): ServingPart | undefined {
  return command === 'worker' ? 'worker' : command === 'serve' ? 'service' : undefined;
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
