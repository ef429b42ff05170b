import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { importsOf, isTest, readImportGraph } from '../../scripts/import-graph.ts';
import { readManifests, type Manifest } from '../../scripts/read-manifests.ts';
import { ROOT } from './checkout-copy.ts';
import { ENGINE, isForApp, mayImport, mayUse, roomOf } from './rooms.ts';

const graph = readImportGraph(ROOT, ['src']);
const manifests = readManifests(ROOT);
const extras = readdirSync(path.join(ROOT, 'src/extras'));

function manifestOf(extra: string): Manifest {
  const manifest = manifests.get(extra);
  if (manifest === undefined) throw new Error(`src/extras/${extra} has no extra.json.`);
  return manifest;
}

/** Imports that no room may have, each as `file → what it imports`. */
function breaches(files: ReadonlyMap<string, { files: string[]; packages: string[] }>): string[] {
  return [...files].flatMap(([file, imports]) => {
    const room = roomOf(file);
    if (isTest(file)) return [];
    const rooms = [room, ...mayImport(manifests, room)];
    const refused = imports.files.filter(
      (to) => !(rooms.includes(roomOf(to)) || (room === 'app' && isForApp(file, to))) || isTest(to),
    );
    const packages = imports.packages.filter((name) => !mayUse(room, name));
    return [...refused, ...packages].map((to) => `${file} → ${to}`);
  });
}

test('imports go one way: the engine knows neither the app nor an extra', () => {
  expect(breaches(graph)).toEqual([]);
});

test('every folder of src is a room with rules', () => {
  const folders = readdirSync(path.join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['app', 'extras'].includes(entry.name))
    .map((entry) => entry.name);
  expect(Object.keys(ENGINE)).toEqual(expect.arrayContaining(folders));
});

describe('an import that is not allowed is found:', () => {
  const refused: [title: string, file: string, source: string][] = [
    ['of a room', 'src/client/x.ts', `import { x } from '../ledger/x.ts';`],
    ['of a type', 'src/workflows/x.ts', `import type { X } from '../activities/x.ts';`],
    [
      'of a type inside an expression',
      'src/workflows/x.ts',
      `type X = import('../activities/x.ts').X;`,
    ],
    ['that is a re-export', 'src/workflows/x.ts', `export { x } from '../activities/x.ts';`],
    ['that re-exports everything', 'src/workflows/x.ts', `export * from '../activities/x.ts';`],
    ['at run time', 'src/ledger/x.ts', `const x = await import('../worker/x.ts');`],
    ['that only runs a module', 'src/model/x.ts', `import '../ledger/x.ts';`],
    ['of the app by the engine', 'src/cli/x.ts', `import { app } from '../app/compose.ts';`],
    ['of an extra by the engine', 'src/cli/x.ts', `import { x } from '../extras/dev/x.ts';`],
    [
      'of the app by an extra',
      'src/extras/dev/x.ts',
      `import { app } from '../../app/compose.ts';`,
    ],
    [
      'of an extra that is not declared',
      'src/extras/dev/x.ts',
      `import { x } from '../upgrade/x.ts';`,
    ],
    [
      'of activities by an extra',
      'src/extras/dev/x.ts',
      `import { x } from '../../activities/x.ts';`,
    ],
    ['of a room by the app', 'src/app/tools/x.ts', `import { x } from '../../env.ts';`],
    ['of an inner part of an extra by the app', 'src/app/x.ts', `import '../extras/dev/ports.ts';`],
    ['of tests', 'src/extras/dev/x.ts', `import { x } from './test/x.ts';`],
    ['of a package', 'src/workflows/x.ts', `import { x } from 'node:crypto';`],
    ['of a package below a scope', 'src/ledger/x.ts', `import { x } from '@temporalio/activity';`],
    ['of a part of a package', 'src/ledger/x.ts', `import { x } from 'openai/resources/x.js';`],
  ];
  test.each(refused)('%s', (_, file, source) => {
    expect(breaches(new Map([[file, importsOf(file, source)]]))).toHaveLength(1);
  });

  const allowed: [title: string, file: string, source: string][] = [
    ['the contract', 'src/workflows/x.ts', `import { x } from '../contract/x.ts';`],
    [
      'a room from a folder two below',
      'src/ledger/a/b/x.ts',
      `import { x } from '../../../contract/x.ts';`,
    ],
    ['the public face by the app', 'src/app/tools/x.ts', `import { x } from '../../index.ts';`],
    ['an extra by the app', 'src/app/x.ts', `import { x } from '../extras/dev/index.ts';`],
    ['an extra that is declared', 'src/extras/upgrade/x.ts', `import { x } from '../dev/x.ts';`],
    ['the command by an extra', 'src/extras/dev/x.ts', `import { x } from '../../cli/x.ts';`],
  ];
  test.each(allowed)('but not of %s', (_, file, source) => {
    expect(breaches(new Map([[file, importsOf(file, source)]]))).toEqual([]);
  });
});

describe.each(extras)('the extra %s', (extra) => {
  const manifest = manifestOf(extra);
  const all = [...graph].filter(([file]) => roomOf(file) === `extras/${extra}`);
  const own = all.filter(([file]) => !isTest(file));
  const used = (where: (file: string) => boolean) =>
    new Set([...graph].flatMap(([file, { packages }]) => (where(file) ? packages : [])));

  test('declares the extras that it and its tests import, and no others', () => {
    // Every test may start its servers with dev.
    const imported = all.flatMap(([file, { files }]) =>
      files.map(roomOf).filter((room) => !(isTest(file) && room === 'extras/dev')),
    );
    const others = new Set(imported.filter((room) => room.startsWith('extras/')));
    others.delete(`extras/${extra}`);
    expect(others).toEqual(new Set((manifest.requires ?? []).map((each) => `extras/${each}`)));
  });

  test('declares the packages that the engine has not', () => {
    const engine = used((file) => roomOf(file) in ENGINE);
    const imported = [...used((file) => own.some(([each]) => each === file))].filter(
      (name) => !name.startsWith('node:') && !engine.has(name),
    );
    const declared = [extra, ...(manifest.requires ?? [])].flatMap((each) => {
      const { dependencies = [], devDependencies = [] } = manifestOf(each);
      return [...dependencies, ...devDependencies];
    });
    expect(declared).toEqual(expect.arrayContaining(imported));
    const known = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    expect(Object.keys({ ...known.dependencies, ...known.devDependencies })).toEqual(
      expect.arrayContaining(declared),
    );
  });
});
