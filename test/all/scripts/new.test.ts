import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findTemporalCli } from '../../../src/extras/dev/temporal-cli.ts';
import { EFFECTS } from '../../../scripts/new/effects.ts';
import { copyCheckout, ROOT, type CheckoutCopy } from '../../structure/checkout-copy.ts';

let copy: CheckoutCopy;
beforeAll(async () => {
  process.env['TEMPORAL_CLI'] = await findTemporalCli();
  copy = copyCheckout(
    'package.json .prettierrc.json .oxlintrc.json jest.config.js tsconfig.json bin scripts src test/support'.split(
      ' ',
    ),
    new Map(),
  );
});
afterAll(() => copy.remove());

const inCopy = (file: string) => path.join(copy.folder, file);

function run(command: string, args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: copy.folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, said: stdout + stderr };
}

function make(...args: string[]) {
  return run(process.execPath, [
    '--import',
    './bin/register-typescript.js',
    'scripts/new.ts',
    ...args,
  ]);
}

test('a tool of each effect, and an agent with them, compile, are clean, and pass their tests', () => {
  const variables: string[] = [];
  for (const effect of Object.keys(EFFECTS)) {
    expect(make('tool', `${effect}-it`, '--effect', effect)).toMatchObject({ status: 0 });
    variables.push(`${effect.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())}It`);
  }
  expect(make('agent', 'all-rounder')).toMatchObject({ status: 0 });
  const agent = inCopy('src/app/agents/all-rounder.ts');
  const imports = Object.keys(EFFECTS).map(
    (effect, at) => `import { ${variables[at]} } from '../tools/${effect}-it.ts';\n`,
  );
  const text = readFileSync(agent, 'utf8').replace('tools: []', `tools: [${variables.join(', ')}]`);
  writeFileSync(agent, imports.join('') + text);

  const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
  const config = JSON.parse(readFileSync(inCopy('tsconfig.json'), 'utf8')) as object;
  writeFileSync(inCopy('tsconfig.app.json'), JSON.stringify({ ...config, include: ['src/app'] }));
  expect(run(tsc, ['-p', 'tsconfig.app.json']).said).toBe('');
  const oxlint = path.join(ROOT, 'node_modules/.bin/oxlint');
  expect(run(oxlint, ['--deny-warnings', '--format=unix', 'src/app']).said).toBe('');
  const prettier = path.join(ROOT, 'node_modules/.bin/prettier');
  const tools = readdirSync(inCopy('src/app/tools')).map((file) => `src/app/tools/${file}`);
  expect(run(prettier, ['--check', ...tools])).toMatchObject({ status: 0 });

  const tests = run(process.execPath, ['scripts/test.mjs', 'src/app/.*(-it|all-rounder)']);
  expect(tests.said).toMatch(/\n6 passed, 0 failed/);

  // A test that cannot fail would be no example.
  const keyed = inCopy('src/app/tools/keyed-it.ts');
  const broken = readFileSync(keyed, 'utf8').replace('...ctx.headers,', '');
  writeFileSync(keyed, broken);
  expect(run(process.execPath, ['scripts/test.mjs', 'src/app/tools/keyed-it']).said).toMatch(
    /\n0 passed, 1 failed/,
  );
});

test.each([
  ['with two dashes before the effect', ['by-dashes', '--', '--effect', 'read']],
  ['without them, where npm takes it for its own', ['by-npm', '--effect', 'read']],
])('npm run new, %s', (_, args) => {
  // The set-up wants a whole clone.
  const file = inCopy('package.json');
  const scripts = { new: 'node --import ./bin/register-typescript.js scripts/new.ts' };
  const whole = JSON.parse(readFileSync(file, 'utf8')) as { scripts: { new: string } };
  expect(whole.scripts.new.endsWith(scripts.new)).toBe(true);
  writeFileSync(file, JSON.stringify({ ...whole, scripts }));
  expect(run('npm', ['run', 'new', 'tool', ...args])).toMatchObject({ status: 0 });
  expect(readFileSync(inCopy(`src/app/tools/${args[0]}.ts`), 'utf8')).toContain("effect: 'read'");
});

test.each([
  [['tool', 'Charge', '--effect', 'keyed'], 'is no name'],
  [['tool', '../charge', '--effect', 'keyed'], 'is no name'],
  [['tool', 'delete', '--effect', 'keyed'], 'a word of the language'],
  [['tool', 'fetch', '--effect', 'keyed'], 'a word of the language'],
  [['tool', 'charge'], 'Say which effect'],
  [['tool', 'charge', '--effect', 'some'], 'Say which effect'],
  [['tool', 'charge', '--wrong'], 'Unknown option'],
  [['agent', 'a', 'b'], 'npm run new agent NAME'],
  [['thing', 'charge'], 'npm run new agent NAME'],
  [[], 'npm run new agent NAME'],
])('%j is refused, and writes nothing', (args, why) => {
  const list = () => readdirSync(inCopy('src/app'), { recursive: true });
  const before = list();
  const { status, said } = make(...args);
  expect({ status, said }).toEqual({ status: 2, said: expect.stringContaining(why) });
  expect(said).not.toMatch(/ at .*\.ts:\d/);
  expect(list()).toEqual(before);
});

test('what is there is not overwritten, not in part either', () => {
  expect(make('agent', 'twice')).toMatchObject({ status: 0 });
  const index = readFileSync(inCopy('src/app/agents/index.ts'), 'utf8');
  rmSync(inCopy('src/app/agents/twice.test.ts'));
  const again = make('agent', 'twice');
  expect(again).toMatchObject({ status: 2, said: expect.stringContaining('twice.ts: is there') });
  expect(existsSync(inCopy('src/app/agents/twice.test.ts'))).toBe(false);
  expect(readFileSync(inCopy('src/app/agents/index.ts'), 'utf8')).toBe(index);
});
