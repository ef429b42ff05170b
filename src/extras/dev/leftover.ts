import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { signalProcess } from './child-process.ts';

/** The command line of a process, or `undefined` if there is none. */
export async function readCommandLine(pid: number): Promise<string | undefined> {
  try {
    const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    // Empty for a process that has ended and waits for its parent.
    return raw === '' ? undefined : raw.replaceAll('\0', ' ').trim();
  } catch {
    if (process.platform === 'linux') return undefined;
  }
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch {
    return undefined;
  }
}

/** How long a server may take to obey a signal. */
const STEP_MS = 5_000;

/**
 * Stops a server that a killed parent left behind: only if its command line names `marker` (our
 * data folder), since the number may belong to somebody else's process by now.
 *
 * @returns whether there was one.
 */
export async function stopLeftover(
  pid: number,
  marker: string,
  signals: readonly NodeJS.Signals[],
): Promise<boolean> {
  const isOurs = async () => (await readCommandLine(pid))?.includes(marker) ?? false;
  if (!Number.isInteger(pid) || pid <= 1 || !(await isOurs())) return false;
  for (const signal of signals) {
    signalProcess(pid, signal);
    const deadline = Date.now() + STEP_MS;
    while (Date.now() < deadline) {
      if (!(await isOurs())) return true;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  return true;
}
