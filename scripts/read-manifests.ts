import fs from 'node:fs';
import path from 'node:path';

/** What an extra's `extra.json` says of it. */
export interface Manifest {
  description?: string;
  /** Other extras that it imports. */
  requires?: string[];
  /** Packages that it alone needs, in production or not. */
  dependencies?: string[];
  devDependencies?: string[];
}

/** @returns by the extra's name */
export function readManifests(root: string): Map<string, Manifest> {
  const folder = path.join(root, 'src/extras');
  return new Map(
    fs
      .readdirSync(folder)
      .map((name) => [name, path.join(folder, name, 'extra.json')] as const)
      .filter(([, file]) => fs.existsSync(file))
      .map(([name, file]) => [name, JSON.parse(fs.readFileSync(file, 'utf8')) as Manifest]),
  );
}
