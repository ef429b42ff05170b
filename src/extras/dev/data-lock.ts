import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { AgentOnceError } from '../../contract/errors.ts';
import { readCommandLine } from './leftover.ts';

interface Holder {
  pid: number;
  command: string;
}

/**
 * Makes this process the only one that uses a data folder, until the returned function is called or
 * the process is gone. The lock of a process that was killed is taken over.
 *
 * @throws {AgentOnceError} `part.failed` if another process uses the folder.
 */
export async function lockDataFolder(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  const file = path.join(dataDir, 'dev.lock');
  const me = JSON.stringify({ pid: process.pid, command: await readCommandLine(process.pid) });
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(me);
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = parseHolder(await readFile(file, 'utf8').catch(() => ''));
    if (holder !== undefined && (await readCommandLine(holder.pid)) === holder.command) {
      throw new AgentOnceError(
        'part.failed',
        `${dataDir} is in use by another stack (process ${holder.pid}). Stop that one, or choose ` +
          'another folder with --data-dir and other ports.',
      );
    }
    // Whoever else saw the stale lock fails to rename it and looks again.
    const aside = `${file}.${process.pid}`;
    await rename(file, aside).catch(() => undefined);
    await rm(aside, { force: true });
  }
}

/** `undefined` for a lock that was cut short while it was written. */
function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, command } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' && typeof command === 'string' ? { pid, command } : undefined;
  } catch {
    return undefined;
  }
}
