import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { copyCheckout, ROOT, type CheckoutCopy } from '../../structure/checkout-copy.ts';

/** What `docs/architecture.md` says to delete together with an optional folder. */
const OPTIONAL: Readonly<Record<string, { with: readonly string[]; supports?: RegExp }>> = {
  'src/service': {
    with: [
      'test/service',
      'test/all/service',
      'bench/http/service.ts',
      'fuzz',
      'test/fuzz',
      'test/all/bench/http.test.ts',
    ],
    supports: /^(?:service|http)\b.*\.ts$/,
  },
  'src/client/http': { with: ['test/service/http-client.test.ts'] },
};
/** The lines of the command line that know the HTTP service. */
const LINES_OF_SERVICE = /^.*(?:registerService|agent-once serve).*\n/gm;

let copy: CheckoutCopy;

beforeEach(() => {
  const typed = ['src', 'examples', 'test', 'bench', 'chaos', 'fuzz'];
  const all = readdirSync(ROOT);
  copy = copyCheckout(
    [...typed.filter((name) => all.includes(name)), 'bin', 'package.json', 'tsconfig.json'],
    new Map(),
  );
});
afterEach(() => copy.remove());

function remove(path: string): void {
  rmSync(join(copy.folder, path), { recursive: true });
}

function deleteFolder(name: string): void {
  const { with: others, supports } = OPTIONAL[name] ?? { with: [] };
  for (const path of [name, ...others]) remove(path);
  if (supports === undefined) return;
  for (const file of readdirSync(join(copy.folder, 'test/support'))) {
    if (supports.test(file)) remove(join('test/support', file));
  }
  const program = join(copy.folder, 'src/cli/program.ts');
  writeFileSync(program, readFileSync(program, 'utf8').replaceAll(LINES_OF_SERVICE, ''));
}

function findTypeErrors(folder: string): string[] {
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { stdout } = spawnSync(tsc, ['--noEmit'], { cwd: folder, encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

function readHelp(): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(copy.folder, 'bin/agent-once.js'), '--help'],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

// What is deleted already cannot be deleted again.
const there = Object.keys(OPTIONAL).filter((name) => {
  const parts = name.split('/');
  return readdirSync(join(ROOT, ...parts.slice(0, -1))).includes(parts.at(-1) ?? '');
});

test.each(there)('without %s no type is wrong that was not before', (name) => {
  deleteFolder(name);
  const after = findTypeErrors(copy.folder);
  const before = after.length > 0 ? findTypeErrors(ROOT) : [];
  expect(after.filter((error) => !before.includes(error))).toEqual([]);
});

test('without the HTTP service the command is as before, but for its commands', () => {
  if (there.includes('src/service')) {
    expect(readHelp()).toMatch(/^ +serve /m);
    deleteFolder('src/service');
  }
  expect(readHelp()).toMatch(/^ +start /m);
  expect(readHelp()).not.toMatch(/\bserve\b|api-keys/);
});

test('a folder that is needed is missed', () => {
  remove('src/explain');
  expect(findTypeErrors(copy.folder).join('\n')).toContain("Cannot find module '../explain/");
});
