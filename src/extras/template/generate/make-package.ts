import fs from 'node:fs';
import path from 'node:path';
import { importsOf, isTest, type Imports } from '../../../../scripts/import-graph.ts';
import type { Manifest } from '../../../../scripts/read-manifests.ts';

interface Package {
  version: string;
  engines: unknown;
  bin: unknown;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: unknown;
}

/** Started, not imported. */
const TOOLS = [
  // Types and schemas for deploy/kubernetes.
  '@kubernetes-models/keda',
  '@kubernetes-models/prometheus-operator',
  '@swc/core',
  '@swc/jest',
  '@types/node',
  'jest',
  'knip',
  'kubernetes-models',
  'oxlint',
  'oxlint-tsgolint',
  'prettier',
  'typescript',
];

export function readPackage(root: string): Package {
  return JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as Package;
}

/**
 * The copy's `package.json`: the scripts and the packages that its files need, at our versions.
 *
 * @param files what it gets, by path
 * @param graph what files of this repository import
 */
export function makePackage(
  root: string,
  name: string,
  manifests: readonly Manifest[],
  files: ReadonlyMap<string, string>,
  graph: ReadonlyMap<string, Imports>,
): object {
  const { engines, bin, scripts, dependencies, devDependencies, allowScripts } = readPackage(root);
  const known = { ...dependencies, ...devDependencies };
  const imported = new Set<string>();
  const inProduction = new Set(manifests.flatMap((each) => each.dependencies ?? []));
  for (const [file, text] of files) {
    if (!file.endsWith('.ts')) continue;
    for (const each of (graph.get(file) ?? importsOf(file, text)).packages) {
      imported.add(each);
      if (/^src\/(?!extras\/)/.test(file) && !isTest(file)) inProduction.add(each);
    }
  }
  const dev = new Set([
    ...TOOLS,
    ...manifests.flatMap((each) => each.devDependencies ?? []),
    ...imported,
  ]);
  for (const each of [...dev, ...inProduction]) dev.add(typesOf(each));
  const versionsOf = (wanted: (each: string) => boolean) =>
    Object.fromEntries(
      Object.entries(known)
        .filter(([each]) => wanted(each))
        .sort(byName),
    );
  return {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines,
    bin,
    scripts: Object.fromEntries(
      Object.entries({ ...scripts, test: `${scripts['test']} --quick` }).filter(([, command]) =>
        isThere(command, files),
      ),
    ),
    dependencies: versionsOf((each) => inProduction.has(each)),
    devDependencies: versionsOf((each) => dev.has(each) && !inProduction.has(each)),
    allowScripts,
  };
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}

function typesOf(name: string): string {
  return `@types/${name.replace(/^@([^/]+)\//, '$1__')}`;
}

/** Whether a script finds the files and the command that it names. */
function isThere(script: string, files: ReadonlyMap<string, string>): boolean {
  const named = script.match(/[\w./-]+\.m?[jt]s\b/g) ?? [];
  const [, command] = /bin\/agent-once\.js (\w+)/.exec(script) ?? [];
  return (
    named.every((file) => files.has(file.replace(/^\.\//, ''))) &&
    (command === undefined || files.has(`src/extras/${command}/index.ts`))
  );
}
