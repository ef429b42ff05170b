import { DEFAULT_TENANT, type RunName } from './names.ts';

/**
 * The words of a command about a run, quoted for a POSIX shell. Keys are chosen by clients, so one
 * that begins with a hyphen would be read as an option: the operands then follow `--` (POSIX.1-2024,
 * Utility Syntax Guideline 10), and the options stand before it.
 *
 * @param options as they are typed, such as `--wait`; quoted already
 * @param step `t2.c0`, where it is about one step
 */
export function runCommandLine(
  command: string,
  { tenant, agent, key }: RunName,
  options: readonly string[] = [],
  step?: string,
): string {
  const operands = [agent, key, ...(step === undefined ? [] : [step])].map(shellWord);
  const all = [...tenantOptions(tenant), ...options];
  const words = key.startsWith('-')
    ? [command, ...all, '--', ...operands]
    : [command, ...operands, ...all];
  return words.join(' ');
}

/** What names a tenant on a command line: nothing for the default one. */
export function tenantOptions(tenant: string): string[] {
  return tenant === DEFAULT_TENANT ? [] : [optionWith('--tenant', tenant)];
}

/** An option and its value, which may begin with a hyphen. */
export function optionWith(name: string, value: string): string {
  return `${name}${value.startsWith('-') ? '=' : ' '}${shellWord(value)}`;
}

/** A word as a POSIX shell reads it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
