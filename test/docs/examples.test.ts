import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { importsOf } from '../../scripts/import-graph.ts';
import { copyCheckout, ROOT, type CheckoutCopy } from '../structure/checkout-copy.ts';
import { listPages } from './pages.ts';

/** Its files make one app, which test/all/docs runs. */
const OWN_AGENT = 'docs/own-agent.md';
const pages = listPages().filter((page) => page !== OWN_AGENT);

const blocks = pages.flatMap((page) =>
  [
    ...readFileSync(join(ROOT, page), 'utf8').matchAll(/^ *```(?:ts|typescript)\n([^]*?)^ *```$/gm),
  ].map(([, code = '']) => {
    const [, path] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? [];
    return { page, path, code };
  }),
);

let copy: CheckoutCopy;

beforeAll(() => {
  const settings = [
    'package.json',
    '.oxlintrc.json',
    'bin',
    'src',
    'test/support',
    'chaos',
    'bench',
  ];
  const config = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as object;
  const include = blocks.map(({ path = '' }) => path);
  copy = copyCheckout(
    settings,
    new Map([
      ...blocks.map(({ path = '', code }) => [path, code] as const),
      ['tsconfig.json', JSON.stringify({ ...config, include })],
    ]),
  );
});
afterAll(() => copy.remove());

/** What a tool says of all of them, and nothing of anything else. */
function say(tool: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin', tool), args, {
    cwd: copy.folder,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

test('each names the file that it is, and none is a file twice', () => {
  expect(blocks.length).toBeGreaterThan(10);
  expect(blocks.filter(({ path }) => path === undefined)).toEqual([]);
  expect(new Set(blocks.map(({ path }) => path)).size).toBe(blocks.length);
});

/** An app's workflows export the engine's. */
const FACE = ['src/index.ts', 'src/workflows/index.ts'];

test('each takes of the engine the public face alone', () => {
  const imported = blocks.flatMap(({ path = '', code }) =>
    importsOf(path, code).files.map((to) => [path, to] as const),
  );
  expect(imported.filter(([, to]) => to === 'src/index.ts').length).toBeGreaterThan(5);
  const inner = imported.filter(
    ([, to]) => /^src\/(?!app\/|extras\/)/.test(to) && !FACE.includes(to),
  );
  expect(inner).toEqual([]);
});

test('each compiles', () => {
  expect(say('tsc', '--noEmit')).toBe('');
});

test("each passes the repository's linter", () => {
  expect(
    say('oxlint', '--deny-warnings', '--format=unix', ...blocks.map(({ path = '' }) => path)),
  ).toBe('');
});

test('each tool and agent is one that a worker takes', () => {
  const own = blocks.flatMap(({ path = '' }) =>
    path.startsWith('src/') && !path.endsWith('.test.ts') ? [`./${path}`] : [],
  );
  writeFileSync(
    join(copy.folder, 'register-all.ts'),
    `import { defineAgent } from './src/define/define-agent.ts';
import { createRegistry } from './src/define/registry.ts';
const modules = await Promise.all(${JSON.stringify(own)}.map((path) => import(path)));
const values = modules.flatMap((exported) => Object.values(exported));
const tools = values.filter((value) => 'effect' in value);
const agents = values.filter((value) => 'instructions' in value);
const rest = { name: 'rest', description: 'd', instructions: 'i', tools };
const registry = createRegistry([...agents, defineAgent(rest)], { defaultModel: 'm' });
console.log(JSON.stringify([...registry.tools()].map(({ name }) => name).sort()));
`,
  );
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', './bin/register-typescript.js', 'register-all.ts'],
    { cwd: copy.folder, encoding: 'utf8' },
  );
  expect({ stderr, tools: JSON.parse(stdout || 'null') as unknown }).toEqual({
    stderr: '',
    tools: expect.arrayContaining(['cancel_order', 'create_ticket', 'charge_card', 'send_letter']),
  });
});
