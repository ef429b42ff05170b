import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyCheckout, ROOT, type CheckoutCopy } from './checkout-copy.ts';
import { MAY_IMPORT } from './rooms.ts';

const ROOMS = Object.keys(MAY_IMPORT);
const IMPORT_RULE = 'eslint(no-restricted-imports)';

/** One import in one file, and whether the linter must refuse it. */
interface Snippet {
  title: string;
  path: string;
  text: string;
  refused: boolean;
  rule: string;
}

const snippets: Snippet[] = [];

function add(title: string, path: string, text: string, refused: boolean, rule = IMPORT_RULE) {
  snippets.push({ title, path: `src/${path}`, text: `${text}\n`, refused, rule });
}

for (const from of ROOMS) {
  for (const to of ROOMS) {
    if (from === to) continue;
    const refused = !MAY_IMPORT[from]?.includes(to);
    const verb = refused ? 'may not import' : 'may import';
    add(
      `${from} ${verb} ${to}`,
      `${from}/value-${to}.ts`,
      `import { x } from '../${to}/x.ts';\nexport const y = x;`,
      refused,
    );
    add(
      `${from} ${verb} a type of ${to}`,
      `${from}/type-${to}.ts`,
      `import type { X } from '../${to}/x.ts';\nexport type Y = X;`,
      refused,
    );
    // Rooms of pure code have no folders below them.
    if (from === 'contract' || from === 'workflows') continue;
    add(
      `a folder below ${from} ${verb} ${to}`,
      `${from}/below/value-${to}.ts`,
      `import { x } from '../../${to}/x.ts';\nexport const y = x;`,
      refused,
    );
    add(
      `a folder two below ${from} ${verb} ${to}`,
      `${from}/two/below/value-${to}.ts`,
      `import { x } from '../../../${to}/x.ts';\nexport const y = x;`,
      refused,
    );
  }
  add(
    `${from} may import itself`,
    `${from}/own.ts`,
    `import { x } from './x.ts';\nexport const y = x;`,
    false,
  );
  const refusesConfig = from === 'contract' || from === 'workflows';
  add(
    `${from} ${refusesConfig ? 'may not' : 'may'} import config`,
    `${from}/config.ts`,
    `import { x } from '../config.ts';\nexport const y = x;`,
    refusesConfig,
  );
  add(
    `${from} may not import tests`,
    `${from}/tests.ts`,
    `import { x } from '../../test/x.ts';\nexport const y = x;`,
    true,
  );
}

for (const command of ['worker', 'dev']) {
  add(
    `the ${command} command may start parts`,
    `cli/${command}.ts`,
    `await import('../agents/x.ts');\nawait import('../worker/x.ts');\nawait import('../dev/x.ts');`,
    false,
  );
}
for (const command of ['explain', 'ledger']) {
  add(
    `the ${command} command may open the ledger`,
    `cli/${command}.ts`,
    `await import('../ledger/x.ts');\nawait import('../explain/x.ts');`,
    false,
  );
}
add(
  'a command that starts parts leaves putting them together to worker and dev',
  'cli/demo.ts',
  `await import('../activities/x.ts');`,
  true,
);

const ways: [string, string][] = [
  ['re-export', `export { x } from '../activities/x.ts';`],
  ['re-export everything of', `export * from '../activities/x.ts';`],
  ['load at run time', `export const x = await import('../activities/x.ts');`],
  ['run', `import '../activities/x.ts';`],
];
for (const [way, text] of ways) {
  add(
    `workflows may not ${way} activities`,
    `workflows/${way.replaceAll(' ', '-')}.ts`,
    text,
    true,
  );
}
add(
  'a type cannot slip past the import rules inside an expression',
  'workflows/inline-type.ts',
  `export type X = import('../activities/x.ts').X;`,
  true,
  'typescript(consistent-type-imports)',
);

const packages: [room: string, name: string, refused: boolean][] = [
  ['contract', 'zod', true],
  ['contract', 'node:fs', true],
  ['contract', 'node:crypto', false],
  ['contract', 'canonicalize', false],
  ['workflows', '@temporalio/workflow', false],
  ['workflows', '@temporalio/activity', true],
  ['workflows', '@temporalio/common', true],
  ['workflows', 'node:crypto', true],
  ['workflows', 'zod', true],
  ['ledger', '@temporalio/activity', true],
  ['ledger', 'openai', true],
  ['ledger', 'pg', false],
  ['model', '@temporalio/activity', true],
  ['model', 'pg', true],
  ['model', 'openai', false],
  ['tools', '@temporalio/activity', true],
  ['tools', 'zod', false],
  ['agents', '@temporalio/workflow', true],
  ['activities', '@temporalio/workflow', true],
  ['activities', '@temporalio/client', true],
  ['activities', '@temporalio/activity', false],
  ['client', '@temporalio/worker', true],
  ['client', 'pg', true],
  ['client', 'openai', true],
  ['client', '@temporalio/client', false],
  ['explain', '@temporalio/worker', true],
  ['explain', 'pg', true],
  ['explain', 'openai', true],
  ['explain', '@temporalio/client', false],
];
for (const [room, name, refused] of packages) {
  add(
    `${room} ${refused ? 'may not' : 'may'} import ${name}`,
    `${room}/package-${name.replaceAll(/[^a-z]/g, '-')}.ts`,
    `import { x } from '${name}';\nexport const y = x;`,
    refused,
  );
}
for (const room of ROOMS) {
  add(
    `config may ${room === 'contract' ? '' : 'not '}import ${room}`,
    `config-${room}.ts`,
    `import { x } from './${room}/x.ts';\nexport const y = x;`,
    room !== 'contract',
  );
}

add(
  'an activity that nobody awaits is refused',
  'workflows/floating.ts',
  `import { proxyActivities } from '@temporalio/workflow';
const { pay } = proxyActivities<{ pay(): Promise<void> }>({ startToCloseTimeout: '1s' });
export async function buy(): Promise<void> {
  await pay();
  pay();
}`,
  true,
  'typescript(no-floating-promises)',
);
add(
  'an activity that is awaited is fine',
  'workflows/awaited.ts',
  `import { proxyActivities } from '@temporalio/workflow';
const { pay } = proxyActivities<{ pay(): Promise<void> }>({ startToCloseTimeout: '1s' });
export async function buy(): Promise<void> {
  await pay();
}`,
  false,
  'typescript(no-floating-promises)',
);
add(
  'nothing but config reads the environment',
  'tools/environment.ts',
  'export const home = process.env.HOME;',
  true,
  'node(no-process-env)',
);
add(
  'config reads the environment',
  'config.ts',
  'export const x = process.env.HOME;',
  false,
  'node(no-process-env)',
);

/** What the linter says, by path: the names of the rules that fired. */
function lint(folder: string): Map<string, Set<string>> {
  const { stdout, stderr } = spawnSync(
    join(ROOT, 'node_modules/.bin/oxlint'),
    ['--format', 'json', '.'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (!stdout.trimStart().startsWith('{'))
    throw new Error(`oxlint did not run: ${stdout}${stderr}`);
  const report = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
  const fired = new Map<string, Set<string>>();
  for (const { code, filename } of report.diagnostics) {
    fired.set(filename, (fired.get(filename) ?? new Set()).add(code));
  }
  return fired;
}

let copy: CheckoutCopy;
let fired: Map<string, Set<string>>;

beforeAll(() => {
  copy = copyCheckout(
    ['.oxlintrc.json', 'tsconfig.json', 'package.json'],
    new Map(snippets.map(({ path, text }) => [path, text])),
  );
  fired = lint(copy.folder);
});

afterAll(() => copy.remove());

test('every folder of src is a room with rules', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  expect(ROOMS).toEqual(expect.arrayContaining(folders));
});

describe('the linter', () => {
  test.each(snippets)('$title', ({ path, refused, rule }) => {
    expect([...(fired.get(path) ?? [])].includes(rule)).toBe(refused);
  });
});
