import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../../../test/structure/checkout-copy.ts';

/**
 * Gives a copy this checkout's packages in the place of `npm ci`. Each is linked, so that an `npm ci`
 * which comes all the same does not empty this checkout's folder.
 */
export function linkPackages(copy: string): void {
  const from = path.join(ROOT, 'node_modules');
  const to = path.join(copy, 'node_modules');
  fs.mkdirSync(to);
  for (const name of fs.readdirSync(from)) {
    if (name === '.package-lock.json') fs.copyFileSync(path.join(from, name), path.join(to, name));
    else if (name !== '.agent-once-lock')
      fs.symlinkSync(path.join(from, name), path.join(to, name));
  }
}
