import fs from 'node:fs';
import path from 'node:path';
import { lock } from '../../upgrade/run.ts';

/** Ours, pruned to what the copy's `package.json` asks for: nothing is asked of a registry. */
export function makeLock(root: string, folder: string): void {
  fs.copyFileSync(path.join(root, 'package-lock.json'), path.join(folder, 'package-lock.json'));
  const { code, stderr } = lock(folder, '--offline', '--loglevel=error');
  if (code !== 0) throw new Error(`npm could not make the lock file: ${stderr.trim()}`);
}
