// Which file imports which, read from the sources: for the rules of the house, its figures and the
// copies that are made of it.
import fs from 'node:fs';
import path from 'node:path';
import { parseSync } from '@swc/core';

/** What a file imports: paths from the root, and names of packages. */
export interface Imports {
  files: string[];
  packages: string[];
}

/** Whether a file is of tests: their code, their support, their fixtures. */
export function isTest(file: string): boolean {
  return file.startsWith('test/') || file.includes('/test/') || file.endsWith('.test.ts');
}

/** @returns paths of TypeScript files from the root, sorted */
export function listSources(root: string, folders: readonly string[]): string[] {
  return folders
    .filter((folder) => fs.existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(root, folder), { recursive: true })
        .map((name) => path.posix.join(folder, String(name).split(path.sep).join('/'))),
    )
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

/**
 * What a file imports: types, and what is loaded at run time, too.
 *
 * @param file its path from the root
 */
export function importsOf(file: string, source: string): Imports {
  const specifiers = new Set<string>();
  collect(parseSync(source, { syntax: 'typescript', target: 'es2022' }), specifiers);
  const files: string[] = [];
  const packages = new Set<string>();
  for (const specifier of specifiers) {
    if (specifier.startsWith('.')) {
      files.push(path.posix.join(path.posix.dirname(file), specifier));
    } else packages.add(packageOf(specifier));
  }
  return { files, packages: [...packages] };
}

/** `pg/lib/x` is of `pg`; `node:fs` is itself. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

interface Node {
  type?: string;
  source?: { value: string } | null;
  callee?: { type: string };
  arguments?: { expression: { type: string; value: string } }[];
  argument?: { value: string };
}

function collect(node: unknown, specifiers: Set<string>): void {
  if (node === null || typeof node !== 'object') return;
  const { type = '', source, callee, arguments: given, argument } = node as Node;
  if (/^(?:Import|ExportAll|ExportNamed)Declaration$/.test(type)) {
    if (source) specifiers.add(source.value);
  } else if (type === 'CallExpression' && callee?.type === 'Import') {
    const [first] = given ?? [];
    if (first?.expression.type === 'StringLiteral') specifiers.add(first.expression.value);
  } else if (type === 'TsImportType' && argument) specifiers.add(argument.value);
  for (const value of Object.values(node)) collect(value, specifiers);
}

/** @returns by the file's path from the root */
export function readImportGraph(root: string, folders: readonly string[]): Map<string, Imports> {
  return new Map(
    listSources(root, folders).map((file) => [
      file,
      importsOf(file, fs.readFileSync(path.join(root, file), 'utf8')),
    ]),
  );
}

/** @returns groups of files that import each other in a circle, by Tarjan's algorithm */
export function importCircles(graph: ReadonlyMap<string, Imports>): string[][] {
  const indexes = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    const index = indexes.size;
    indexes.set(file, index);
    lowest.set(file, index);
    open.push(file);
    for (const next of graph.get(file)?.files ?? []) {
      if (!graph.has(next)) continue;
      if (!indexes.has(next)) visit(next);
      if (open.includes(next)) {
        lowest.set(file, Math.min(lowest.get(file) ?? index, lowest.get(next) ?? index));
      }
    }
    if (lowest.get(file) !== index) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle);
  };
  for (const file of graph.keys()) if (!indexes.has(file)) visit(file);
  return circles;
}
