import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../structure/checkout-copy.ts';

/** Every page for people, from the repository's root. */
export function listPages(): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => !path.includes('node_modules'))
      .map((path) => join(folder, path));
  return [
    ...readdirSync(ROOT),
    ...['docs', 'src/extras', 'chaos', 'fuzz', 'bench', 'prod-like'].flatMap(below),
  ]
    .filter((path) => path.endsWith('.md'))
    .sort((a, b) => a.localeCompare(b));
}
