import fs from 'node:fs';
import path from 'node:path';

const MODULES = path.resolve(import.meta.dirname, '../../../../node_modules');

/**
 * Gives a folder this checkout's packages, one link each. Not one link to all of them: `npm ci` in
 * that folder would delete them here.
 */
export function linkPackages(folder: string): void {
  const target = path.join(folder, 'node_modules');
  fs.mkdirSync(target);
  for (const { name } of fs.readdirSync(MODULES, { withFileTypes: true })) {
    const from = path.join(MODULES, name);
    const to = path.join(target, name);
    if (!fs.statSync(from).isDirectory()) fs.copyFileSync(from, to);
    else if (!name.startsWith('@')) fs.symlinkSync(from, to, 'junction');
    else {
      fs.mkdirSync(to);
      for (const inner of fs.readdirSync(from)) {
        fs.symlinkSync(path.join(from, inner), path.join(to, inner), 'junction');
      }
    }
  }
}
