import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { git } from '../../upgrade/run.ts';
import { newCopy } from '../new-copy.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'agent-once-new-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a copy is committed on the branch agent-once, with main from it, and says how much it is', () => {
  const target = path.join(folder, 'My Agents');
  const written = newCopy(ROOT, target, { extras: ['none'], example: false });
  expect(written).toMatchObject({ name: 'my-agents', extras: ['dev', 'upgrade'] });
  const committed = git(target, 'ls-tree', '-r', '--name-only', 'agent-once').split('\n');
  // And the lock file.
  expect(committed).toHaveLength(written.files + 1);
  const lines = committed
    .filter((file) => /^src\/(?!.*\/test\/).*(?<!\.test)\.(ts|sql)$/.test(file))
    .map((file) => readFileSync(path.join(target, file), 'utf8').split('\n').length - 1);
  expect(written.source).toBe(lines.reduce((sum, each) => sum + each, 0));
  expect(git(target, 'branch', '--show-current')).toBe('main');
  expect(git(target, 'rev-parse', 'main')).toBe(git(target, 'rev-parse', 'agent-once'));
  expect(git(target, 'status', '--porcelain')).toBe('');

  type Lock = { name: string; packages: Record<string, { dependencies?: object }> };
  const lock = JSON.parse(readFileSync(path.join(target, 'package-lock.json'), 'utf8')) as Lock;
  expect(lock.name).toBe('my-agents');
  expect(Object.keys(lock.packages)).toContain('node_modules/pg');
  // Its benchmarks use it.
  expect(Object.keys(lock.packages)).not.toContain('node_modules/autocannon');
});

test('a folder that is not empty is refused, and nothing is written to it', () => {
  const target = mkdtempSync(path.join(folder, 'full-'));
  writeFileSync(path.join(target, 'mine.txt'), 'mine');
  const make = () => newCopy(ROOT, target, { extras: ['none'], example: false });
  expect(make).toThrow(/is not an empty folder\. Nothing was written/);
  expect(readdirSync(target)).toEqual(['mine.txt']);
});

test('nothing is left of a copy that could not be made', () => {
  const target = path.join(folder, 'unmade');
  const make = () => newCopy(ROOT, target, { extras: ['servce'], example: false });
  expect(make).toThrow('There is no extra "servce"');
  expect(existsSync(target)).toBe(false);
});
