import fs from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readImportGraph } from '../../../../scripts/import-graph.ts';
import type { Choices } from '../../upgrade/generate.ts';
import { readManifests } from '../../../../scripts/read-manifests.ts';
import { chooseExtras } from './extras.ts';
import { makePackage, readPackage } from './make-package.ts';
import {
  composeFileOf,
  composeOf,
  isForOtherExtra,
  kustomizationOf,
  moveSeed,
  SEED,
  unlink,
} from './rewrite.ts';
import { selectFiles } from './select-files.ts';

const KUSTOMIZATION = 'deploy/kubernetes/production/kustomization.yaml';

/** What the README names of the app. */
const OWN = {
  agent: 'calendar',
  input: 'Which day is 3 days after 2026-02-27?',
  tool: 'src/app/tools/add-days.ts',
  scripts: '`src/app/scripted-model`',
};
const EXAMPLE: typeof OWN = {
  agent: 'support',
  input: 'Refund 25 EUR of order 1042',
  tool: 'src/app/tools/issue-refund.ts',
  scripts: '`src/app/scripted-model`, as those in `examples/scripted-model`',
};

/**
 * Everything that a copy is, but the lock file.
 *
 * @returns text by path
 * @throws {RangeError} for an extra that there is not
 */
export async function planCopy(root: string, wanted: Choices): Promise<Map<string, string>> {
  const { name, example } = wanted;
  const manifests = readManifests(root);
  const extras = chooseExtras(manifests, wanted.extras, example);
  const read = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');
  const graph = readImportGraph(root, ['src', 'test', 'scripts', 'examples']);
  const files = new Map(
    selectFiles(root, graph, extras, example).map((file) => [file, read(file)]),
  );
  const changed = new Set<string>();
  const write = (file: string, text: string): void => {
    files.set(file, text);
    changed.add(file);
  };

  if (!example) for (const seed of listSeeds(root)) write(...entryOf(moveSeed(seed, read(seed))));
  for (const [file, text] of files) {
    const isOfApp = file.startsWith('src/app/') && file !== 'src/app/compose.ts';
    if (isOfApp && isForOtherExtra(text, extras)) files.delete(file);
  }
  write('src/app/compose.ts', composeOf(files.get('src/app/compose.ts') ?? '', extras));
  const copy = path.join(root, 'src/extras/template/copy');
  const words = { ...(example ? EXAMPLE : OWN), name };
  const readOwn = (file: string): string =>
    fs
      .readFileSync(path.join(copy, file), 'utf8')
      .replaceAll(/\{\{(\w+)\}\}/g, (_, word) => words[word as keyof typeof words]);
  write('README.md', readOwn('readme.txt'));
  write('knip.json', readOwn('knip.json'));
  write('docs/changelog.md', read('CHANGELOG.md'));
  const composeFiles = [...files.keys()].filter((file) => /(^|\/)docker-compose\.yml$/.test(file));
  for (const file of composeFiles) write(file, composeFileOf(read(file), name, extras));
  write(KUSTOMIZATION, kustomizationOf(read(KUSTOMIZATION), name, extras));
  const { version } = readPackage(root);
  write('agent-once.json', JSON.stringify({ version, name, example, extras }));
  const chosen = extras.map((extra) => manifests.get(extra) ?? {});
  write('package.json', JSON.stringify(makePackage(root, name, chosen, files, graph)));

  const isThere = (file: string): boolean =>
    files.has(file) ||
    [...files.keys()].some((each) => each.startsWith(`${file}/`.replace('//', '/')));
  for (const [page, text] of files) {
    if (!page.endsWith('.md')) continue;
    const unlinked = unlink(page, text, isThere);
    if (unlinked !== text) write(page, unlinked);
  }
  const options = await resolveConfig(path.join(root, 'package.json'));
  for (const file of changed) {
    if (!files.has(file)) continue;
    files.set(file, await format(files.get(file) ?? '', { ...options, filepath: file }));
  }
  return files;
}

function listSeeds(root: string): string[] {
  return fs
    .readdirSync(path.join(root, SEED), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.\w+$/.test(file))
    .map((file) => path.posix.join(SEED, file.split(path.sep).join('/')));
}

function entryOf({ file, text }: { file: string; text: string }): [string, string] {
  return [file, text];
}
