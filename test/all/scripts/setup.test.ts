import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROOT } from '../../structure/checkout-copy.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-once-setup-'));
  for (const file of ['package.json', 'package-lock.json', '.npmrc', 'scripts']) {
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function setUp() {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/setup.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    // Any executable: where the Temporal CLI comes from has tests of its own.
    env: { ...process.env, TEMPORAL_CLI: process.execPath, npm_config_prefer_offline: 'true' },
  });
  return { status, stderr };
}

describe('the set-up', () => {
  test('installs what the lock file has, all of it, and leaves the lock file as it is', () => {
    const { status, stderr } = setUp();
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('installing the npm packages'),
    });
    expect(existsSync(join(folder, 'node_modules', 'zod'))).toBe(true);
    const lock = (root: string) => readFileSync(join(root, 'package-lock.json'), 'utf8');
    expect(lock(folder)).toBe(lock(ROOT));
  });

  test('does nothing where everything is there', () => {
    expect(setUp()).toEqual({ status: 0, stderr: '' });
  });

  test('says what to do where package.json does not fit the lock file, and keeps what is installed', () => {
    const file = join(folder, 'package.json');
    const before = readFileSync(file, 'utf8');
    const { dependencies, ...rest } = JSON.parse(before) as { dependencies: object };
    const changed = { ...rest, dependencies: { ...dependencies, zod: '3.25.76' } };
    writeFileSync(file, JSON.stringify(changed));
    rmSync(join(folder, 'node_modules', '.agent-once-lock'));
    rmSync(join(folder, 'node_modules', '.package-lock.json'));
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain('run `npm install`');
    expect(existsSync(join(folder, 'node_modules', 'zod'))).toBe(true);
  });
});
