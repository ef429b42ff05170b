import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from './checkout-copy.ts';

interface LockedPackage {
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
const packages = Object.entries(lock.packages);

/** Where Node looks for `name` from the folder `from`, nearest first. */
function places(from: string, name: string): string[] {
  const above = from.split('/node_modules/').map((_, index, all) => all.slice(0, index + 1));
  return [
    ...above.map((parts) => `${parts.join('/node_modules/')}/node_modules/${name}`).reverse(),
    `node_modules/${name}`,
  ];
}

test('the lock file has the optional packages of every platform', () => {
  const named = packages.flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ from, name })),
  );
  expect(named.length).toBeGreaterThan(50);
  const missing = named.filter(
    ({ from, name }) => !places(from, name).some((place) => place in lock.packages),
  );
  expect(missing).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
});

test('npm ci takes package.json and the lock file, on this Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-once-lock-'));
  try {
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
      cpSync(join(ROOT, file), join(folder, file));
    }
    // A dry run compares the two files and fetches nothing.
    const { status, stderr } = spawnSync(
      'npm',
      ['ci', '--dry-run', '--offline', '--loglevel=warn', `--cache=${join(folder, 'cache')}`],
      { cwd: folder, encoding: 'utf8' },
    );
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    // These three name Node 22 and run on 20.
    const unfit = [...stderr.matchAll(/EBADENGINE +package: '(.+)@/g)].map(([, name]) => name);
    expect(['content-disposition', 'cookie', 'openai']).toEqual(expect.arrayContaining(unfit));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
