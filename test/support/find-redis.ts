import path from 'node:path';
import { isExecutable } from '../../src/dev/is-executable.ts';

/** Finds `redis-server` on the PATH and in the usual places; `undefined`: it is nowhere. */
export async function findRedis(): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((each) => each !== '');
  for (const folder of [...folders, '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']) {
    const file = path.resolve(folder, 'redis-server');
    if (await isExecutable(file)) return file;
  }
  return undefined;
}
