import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What Linux says of a process in `/proc/PID/stat`; times in ticks of the clock. */
export interface ProcessStat {
  parent: number;
  /** Of the process itself, in its own code and in the kernel's. */
  ownTicks: number;
  /** Of its children that have ended. */
  endedTicks: number;
}

/**
 * Seconds of CPU that a process has taken since its start, with all that it started: PostgreSQL has a
 * process for each connection. `null` on other systems than Linux: there it is not known.
 */
export async function cpuSeconds(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const stats = await readStats();
  const ticks = (of: number): number => {
    const { ownTicks = 0, endedTicks = 0 } = stats.get(of) ?? {};
    const children = [...stats].filter(([, { parent }]) => parent === of);
    return children.reduce((sum, [child]) => sum + ticks(child), ownTicks + endedTicks);
  };
  return ticks(pid) / (await ticksPerSecond());
}

/** @throws for what is no line of `/proc/PID/stat` */
export function parseStat(line: string): ProcessStat {
  // The second field is the program's name in brackets, which may hold brackets and blanks.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3]);
  const stat = {
    parent: number(4),
    ownTicks: number(14) + number(15),
    endedTicks: number(16) + number(17),
  };
  if (Object.values(stat).every(Number.isSafeInteger)) return stat;
  throw new Error(`No line of /proc/PID/stat: ${line}`);
}

async function readStats(): Promise<Map<number, ProcessStat>> {
  const stats = new Map<number, ProcessStat>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // One that has ended meanwhile is among its parent's ended ones.
    const line = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
    if (line !== undefined) stats.set(Number(name), parseStat(line));
  }
  return stats;
}

let known: Promise<number> | undefined;

function ticksPerSecond(): Promise<number> {
  known ??= promisify(execFile)('getconf', ['CLK_TCK']).then(({ stdout }) => Number(stdout));
  return known;
}
