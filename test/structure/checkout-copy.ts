import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of this repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A temporary folder with this repository's settings, its packages, and sources made for a test. */
export interface CheckoutCopy {
  folder: string;
  remove(): void;
}

/**
 * Writes `files` (path to text) under a temporary folder, beside copies of the files and folders
 * `settings`.
 * Packages resolve to this repository's own.
 */
export function copyCheckout(
  settings: readonly string[],
  files: ReadonlyMap<string, string>,
): CheckoutCopy {
  // The real path: tools report what they resolve, and a system's tmp may be a link.
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'agent-once-structure-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  for (const path of settings) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
