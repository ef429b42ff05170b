import fs from 'node:fs';
import path from 'node:path';
import { isTest, type Imports } from '../../../../scripts/import-graph.ts';

/** What a copy gets of the root. `package.json`, its lock, `README.md` and `knip.json` are made for it. */
const ROOT_FILES = [
  '.dockerignore',
  '.editorconfig',
  '.gitattributes',
  '.gitignore',
  '.npmrc',
  '.oxlintrc.json',
  '.prettierignore',
  '.prettierrc.json',
  'Dockerfile',
  'LICENSE',
  'docker-compose.yml',
  'jest.config.js',
  'tsconfig.build.json',
  'tsconfig.json',
];
const FOLDERS = ['bin', 'deploy', 'docs', 'examples', 'scripts', 'src', 'test'];
/** Of this repository about itself. */
const LEFT_OUT = [
  'docs/adr/',
  'docs/benchmarks.md',
  'docs/capacity.md',
  'docs/pictures/',
  'docs/requirements.md',
  'scripts/house.ts',
  'test/docs/',
];
/** Needs README.md and the pages of this repository. */
const EXAMPLE_TESTS = ['test/example/docs.test.ts', 'test/all/docs/production.test.ts'];

/**
 * The files of this repository that a copy gets as they are, the app aside unless it is the
 * example's. A test or a script goes with a copy if all that it imports does, and
 * what tests share goes with them.
 *
 * @returns paths from the root, sorted
 */
export function selectFiles(
  root: string,
  graph: ReadonlyMap<string, Imports>,
  extras: readonly string[],
  example: boolean,
): string[] {
  const folders = example ? FOLDERS : FOLDERS.filter((folder) => folder !== 'examples');
  const files = new Set([
    ...ROOT_FILES.filter((file) => fs.existsSync(path.join(root, file))),
    ...folders.flatMap((folder) => listFiles(root, folder)).filter(isWanted),
  ]);
  // The composition, every app has.
  const isThere = (file: string): boolean =>
    files.has(file) || (!example && file === 'src/app/compose.ts');
  const importers = new Map<string, string[]>();
  for (const [file, { files: imported }] of graph) {
    for (const each of imported) importers.set(each, [...(importers.get(each) ?? []), file]);
  }
  /** Support of tests that are not there. */
  const isIdle = (file: string): boolean => {
    const users = importers.get(file) ?? [];
    return users.length > 0 && !users.some((user) => files.has(user));
  };
  for (let before = -1; before !== files.size;) {
    before = files.size;
    for (const file of files) {
      if (!isTest(file) && !file.startsWith('scripts/')) continue;
      const lacks = !(graph.get(file)?.files ?? []).every(isThere);
      if (lacks || (isTest(file) && isIdle(file))) files.delete(file);
    }
  }
  return [...files].sort();

  function isWanted(file: string): boolean {
    if (LEFT_OUT.some((left) => file.startsWith(left))) return false;
    if (EXAMPLE_TESTS.includes(file)) return false;
    if (!example && /^(?:src\/app|test\/(?:all\/)?example)\//.test(file)) return false;
    const component = /^deploy\/kubernetes\/(service|metrics|codec)\//.exec(file)?.[1];
    if (component !== undefined) {
      return extras.includes(component === 'codec' ? 'encryption' : component);
    }
    const extra = /^src\/extras\/([^/]+)\//.exec(file)?.[1];
    return extra === undefined || extras.includes(extra);
  }
}

function listFiles(root: string, folder: string): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .map((file) => file.split(path.sep).join('/'));
}
