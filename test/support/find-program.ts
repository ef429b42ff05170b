import path from 'node:path';
import { isExecutable } from '../../src/extras/dev/temporal-cli.ts';

/** Finds a program on the PATH and in the usual places; `undefined`: it is nowhere. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((each) => each !== '');
  const usual = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
  for (const folder of [...folders, ...usual]) {
    const file = path.resolve(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}
