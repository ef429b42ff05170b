import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROGRAM_NET_MS } from '../../../../../test/support/nets.ts';
import { within } from '../../../../../test/support/within.ts';
import { findTemporalCli } from '../../../dev/temporal-cli.ts';
import { readManifests } from '../../../../../scripts/read-manifests.ts';
import { offeredExtras } from '../../generate/extras.ts';
import { newCopy } from '../../new-copy.ts';
import { linkPackages } from '../link-packages.ts';
import { REMEMBERED, TYPES_AGAIN } from '../types-again.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../../..');
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(tmpdir()), 'agent-once-copies-'));
  // As a person's shell has it: nothing of this run of the tests, and a scripted model.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:TEST_|JEST_|AGENT_ONCE_|OPENAI_|NODE_|npm_)/.test(name),
  );
  env = { ...Object.fromEntries(kept), TEMPORAL_CLI: await findTemporalCli() };
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A copy with the packages of this checkout, which has all that a copy may need. */
function makeCopy(name: string, extras: string[], example = false): string {
  const copy = path.join(folder, name);
  newCopy(ROOT, copy, { extras, example });
  linkPackages(copy);
  return copy;
}

/** Runs a command to its end. A test that does not pass shows what it wrote. */
async function run(
  copy: string,
  command: string,
  ...args: string[]
): Promise<{ code: unknown; output: string }> {
  const child = spawn(command, args, { cwd: copy, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = within(once(child, 'close'), () => `it ended: ${output}`, PROGRAM_NET_MS);
  const [code] = (await ended) as [unknown];
  return { code, output };
}

const clean = { code: 0, output: '' };
const passed = { code: 0, output: expect.stringMatching(/\n\d+ passed, 0 failed/) };

describe('types, and where more than one extra meets lint, of a copy with', () => {
  const alone = offeredExtras(readManifests(ROOT)).filter((name) => name !== 'demo');
  test.each<[title: string, extras: string[], example?: boolean]>([
    // First: what it remembers spares the others most of the work.
    ['the example and all', ['all'], true],
    ['none', ['none']],
    ...alone.map((name): [string, string[]] => [name, [name]]),
    ['all', ['all']],
    ['the example', ['none'], true],
  ])('%s are right', async (title, extras, example = false) => {
    const copy = makeCopy(title, extras, example);
    const kept = path.join(folder, REMEMBERED);
    if (fs.existsSync(kept)) fs.copyFileSync(kept, path.join(copy, REMEMBERED));
    expect(await run(copy, ...TYPES_AGAIN)).toEqual(clean);
    if (!fs.existsSync(kept)) fs.copyFileSync(path.join(copy, REMEMBERED), kept);
    if (!alone.includes(title)) {
      const lint = await run(copy, 'node_modules/.bin/oxlint', '--deny-warnings', '.');
      expect(lint).toEqual({ code: 0, output: expect.stringContaining(' and 0 errors') });
    }
    fs.rmSync(copy, { recursive: true });
  });
});

describe('npm test and npm run check, first of all, are green in a copy with', () => {
  test.each([
    ['none', ['none']],
    ['all', ['all']],
  ])('%s', async (title, extras) => {
    const copy = makeCopy(`own-tests-${title}`, extras);
    expect(await run(copy, 'npm', 'test')).toMatchObject(passed);
    expect(await run(copy, 'npm', 'run', 'check')).toMatchObject(passed);
    expect(await run(copy, 'git', 'status', '--porcelain')).toEqual(clean);
  });

  test('the default, whose packages npm ci installs', async () => {
    const copy = path.join(folder, 'default');
    newCopy(ROOT, copy, { extras: ['default'], example: false });
    expect(await run(copy, 'npm', 'ci', '--ignore-scripts')).toMatchObject({ code: 0 });
    expect(await run(copy, 'npm', 'test')).toMatchObject(passed);
    expect(await run(copy, 'npm', 'run', 'check')).toMatchObject(passed);
    expect(await run(copy, 'git', 'status', '--porcelain')).toEqual(clean);
  });
});

test('npm run dev, first of all, plays the run of the README', async () => {
  const copy = makeCopy('dev', ['none']);
  const ports = ['temporal', 'ui', 'postgres', 'model'].flatMap((part) => [`--${part}-port`, '0']);
  const args = ['run', 'dev', '--silent', '--', '--json', ...ports];
  const dev = spawn('npm', args, {
    cwd: copy,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    const [line] = (await within(once(dev.stdout, 'data'), () => 'dev was ready')) as [Buffer];
    const stack = JSON.parse(String(line)) as Record<'temporal' | 'ledger' | 'model', string>;
    const readme = fs.readFileSync(path.join(copy, 'README.md'), 'utf8');
    const [, start = ''] = /^(node bin\/agent-once\.js start .* --wait)$/m.exec(readme) ?? [];
    const found = { TEMPORAL_ADDRESS: stack.temporal, LEDGER_URL: stack.ledger };
    env = { ...env, ...found };
    const ran = await run(copy, 'sh', '-c', start);
    expect(ran).toMatchObject({
      code: 0,
      output: expect.stringContaining('That is Monday, 2026-03-02.'),
    });
  } finally {
    // npm, and what it started.
    process.kill(-(dev.pid ?? 0), 'SIGTERM');
    await once(dev, 'close');
  }
});
