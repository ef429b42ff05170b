import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ROOT } from '../../../../../test/structure/checkout-copy.ts';
import { readManifests } from '../../../../../scripts/read-manifests.ts';
import { newCopy } from '../../new-copy.ts';
import { linkPackages } from '../link-packages.ts';
import { TYPES_AGAIN } from '../types-again.ts';

const manifests = readManifests(ROOT);
/** The tests start their servers with `dev`; `template` and `demo` are in no copy without the example. */
const deletable = [...manifests.keys()].filter(
  (name) => !['dev', 'template', 'demo'].includes(name),
);
let folder: string;
let pristine: string;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'agent-once-deletion-'));
  pristine = path.join(folder, 'pristine');
  newCopy(ROOT, pristine, { extras: ['all'], example: false });
  linkPackages(pristine);
  expect(run(pristine, ...TYPES_AGAIN)).toEqual({ status: 0, output: '' });
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** An extra, after those that need it. */
function withDependents(name: string): string[] {
  const dependents = deletable.filter((each) => manifests.get(each)?.requires?.includes(name));
  return [...new Set([...dependents.flatMap(withDependents), name])];
}

/** Its folder, its line, its packages and the app's file about it: what `docs/architecture.md` says, and nothing else. */
function deleteExtra(copy: string, name: string): void {
  const compose = path.join(copy, 'src/app/compose.ts');
  const text = fs.readFileSync(compose, 'utf8');
  const [line = '', value = ''] =
    new RegExp(`^import \\{ (\\w+) \\} from '.*/extras/${name}/index.ts';\n`, 'm').exec(text) ?? [];
  const own = fs
    .readdirSync(path.join(copy, 'src/app'))
    .filter((file) => file.endsWith('.ts') && file !== 'compose.ts')
    .filter((file) =>
      fs.readFileSync(path.join(copy, 'src/app', file), 'utf8').includes(`/extras/${name}/`),
    );
  let composed = text
    .replace(line, '')
    .replace(new RegExp(`^    ${value}(?:\\(.*\\))?,\n`, 'm'), '');
  for (const file of own) {
    composed = composed.replace(new RegExp(`^import .* from './${file}';\n`, 'm'), '');
    fs.rmSync(path.join(copy, 'src/app', file));
  }
  fs.writeFileSync(compose, composed);
  fs.rmSync(path.join(copy, 'src/extras', name), { recursive: true });

  const kept = fs.readdirSync(path.join(copy, 'src/extras'));
  const others = new Set(kept.flatMap((each) => packagesOf(each)));
  const file = path.join(copy, 'package.json');
  const json = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
  for (const each of packagesOf(name).filter((one) => !others.has(one))) {
    delete json['dependencies']?.[each];
    delete json['devDependencies']?.[each];
  }
  fs.writeFileSync(file, JSON.stringify(json, null, 2));
}

function packagesOf(name: string): string[] {
  const { dependencies = [], devDependencies = [] } = manifests.get(name) ?? {};
  return [...dependencies, ...devDependencies];
}

function run(copy: string, command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: copy, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

test.each(deletable)('without %s types, lint and the command are right', (name) => {
  const copy = path.join(folder, name);
  fs.cpSync(pristine, copy, { recursive: true });
  for (const each of withDependents(name)) deleteExtra(copy, each);

  expect(fs.readFileSync(path.join(copy, 'src/app/compose.ts'), 'utf8')).not.toContain(
    `extras/${name}/`,
  );
  expect(run(copy, ...TYPES_AGAIN)).toEqual({ status: 0, output: '' });
  // No other file was touched.
  const lint = run(copy, 'node_modules/.bin/oxlint', '--deny-warnings', 'src/app');
  expect(lint).toEqual({ status: 0, output: expect.stringContaining(' and 0 errors') });
  const help = run(copy, process.execPath, 'bin/agent-once.js', '--help');
  expect(help).toMatchObject({ status: 0, output: expect.stringMatching(/^ +start /m) });
});

test('an engine that lacks a room is noticed', () => {
  const copy = path.join(folder, 'broken');
  fs.cpSync(pristine, copy, { recursive: true });
  fs.rmSync(path.join(copy, 'src/client'), { recursive: true });
  expect(run(copy, ...TYPES_AGAIN).status).not.toBe(0);
});
