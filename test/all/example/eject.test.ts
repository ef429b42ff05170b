import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../structure/checkout-copy.ts';

const LEFT_OUT = ['node_modules', '.git', 'dist', '.agent-once', '.cache', 'coverage'];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'agent-once-eject-'));
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (path) => !LEFT_OUT.some((name) => path === join(ROOT, name)),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  run('git', 'init', '-q');
  run('git', 'add', '.');
  run('git', '-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'all');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, ...args: string[]) {
  return runIn(folder, command, ...args);
}

function runIn(cwd: string, command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function eject(...args: string[]) {
  return run(process.execPath, 'scripts/eject-example.mjs', ...args);
}

function bin(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name);
}

/** What the type checker and knip find, without places and counts, which move. */
function findMistakes(cwd: string): string[] {
  const types = runIn(cwd, bin('tsc'), '--noEmit');
  const unused = runIn(cwd, bin('knip'), '--no-progress');
  if (types.status === 0 && unused.status === 0) return [];
  const lines = (types.stdout + unused.stdout).split('\n');
  return lines.map((line) => line.replaceAll(/[(:]\d[\d:,)]*/g, '').trim());
}

test('removes the example and what other files say of it', () => {
  writeFileSync(
    join(folder, 'docs', 'marked.md'),
    'kept\n<!-- example:begin -->\ngone\n<!-- example:end -->\nkept too\n',
  );
  const { status, stdout } = eject('--force');
  expect(status).toBe(0);
  expect(stdout).toContain('Next:');
  for (const path of [
    'examples',
    'test/example',
    'test/all/example',
    'src/tools/issue-refund.ts',
  ]) {
    expect(existsSync(join(folder, path))).toBe(false);
  }
  expect(readFileSync(join(folder, 'docs', 'marked.md'), 'utf8')).toBe('kept\nkept too\n');
  expect(readFileSync(join(folder, 'src/agents/index.ts'), 'utf8')).toContain('= [];');
  expect(eject()).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to do') });
});

test('leaves no mistake that was not there before', () => {
  expect(eject('--force').status).toBe(0);
  const after = findMistakes(folder);
  const before = after.length > 0 ? findMistakes(ROOT) : [];
  expect(after.filter((mistake) => !before.includes(mistake))).toEqual([]);
  expect(run(bin('prettier'), '--check', 'src/agents', 'knip.json')).toMatchObject({ status: 0 });
});

test('keeps an agent that was added beside it', () => {
  const index = join(folder, 'src/agents/index.ts');
  const text = readFileSync(index, 'utf8');
  writeFileSync(join(folder, 'src/agents/clerk.ts'), 'export { support as clerk } from "./x.ts";');
  writeFileSync(
    index,
    `import { clerk } from '../../example/clerk.ts';\n${text.replace('[support]', '[support, clerk]')}`,
  );
  expect(eject('--force').status).toBe(0);
  const left = readFileSync(index, 'utf8');
  expect(left).toContain('[clerk]');
  expect(left).not.toContain('support');
});

test('removes nothing that is in no commit, unless forced', () => {
  appendFileSync(join(folder, 'src/tools/issue-refund.ts'), '// mine\n');
  const refused = eject();
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('src/tools/issue-refund.ts');
  expect(existsSync(join(folder, 'examples/shop/server.ts'))).toBe(true);
  expect(readFileSync(join(folder, 'src/agents/index.ts'), 'utf8')).toContain('support');

  expect(eject('--force').status).toBe(0);
  expect(existsSync(join(folder, 'examples'))).toBe(false);
});

test('knows no other option', () => {
  expect(eject('--dry').status).toBe(2);
  expect(existsSync(join(folder, 'examples'))).toBe(true);
});
