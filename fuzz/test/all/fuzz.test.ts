import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { FuzzReport } from '../../report.ts';
import { ROOT } from '../../../test/structure/checkout-copy.ts';
import { PROGRAM_NET_MS } from '../../../test/support/nets.ts';
import { within } from '../../../test/support/within.ts';

const started: ChildProcess[] = [];

/** Ends those that a test has given up waiting for. */
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGINT');
});

async function fuzz(
  args: string,
  env: Record<string, string> = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(
    process.execPath,
    ['--import', './bin/register-typescript.js', 'fuzz/main.ts', '--json', ...args.split(' ')],
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  started.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await within(
    once(child, 'close'),
    () => `the fuzz ended. It wrote:\n${stderr}`,
    PROGRAM_NET_MS,
  )) as unknown[];
  return { code, stdout, stderr };
}

async function report(
  args: string,
  env?: Record<string, string>,
): Promise<{ code: unknown; report: FuzzReport; text: string }> {
  const { code, stdout, stderr } = await fuzz(args, env);
  if (stdout === '') throw new Error(`The fuzz gave no report:\n${stderr}`);
  return { code, report: JSON.parse(stdout) as FuzzReport, text: stderr };
}

describe('npm run fuzz', () => {
  test('finds no second live run, effect twice, 5xx or stuck run, also when workers are killed', async () => {
    const { code, report: found, text } = await report('--seconds 25 --kill-every 8');
    // The whole of it, should it fail: the seed, what was found.
    expect({ code, ...found }).toMatchObject({ code: 0, clean: true, breaches: [] });
    expect(found.workersKilled).toBeGreaterThan(0);
    // At least the life of each key: two runs, of which one was resumed, and forgotten.
    expect(found.runs).toBeGreaterThanOrEqual(3 * 5);
    expect(found.forgotten).toBeGreaterThanOrEqual(5);
    expect(found.effects).toBeGreaterThan(0);
    const surfaces = new Set(Object.keys(found.calls).map((call) => call.split(' ')[1]));
    expect(surfaces).toEqual(new Set(['http', 'library', 'command']));
    expect(text).toContain(`Seed ${found.seed}`);
    expect(text).toContain('Nothing was found.');
  });

  test('notices that every claim is granted', async () => {
    const { code, report: found } = await report('--seconds 1 --processes 1', {
      CHAOS_NO_CLAIM: 'on',
    });
    expect(code).toBe(1);
    const whats = found.breaches.map(({ what }) => what);
    expect(whats).toEqual(expect.arrayContaining(['doubled', 'model-paid-again']));
  });

  test('notices that requests go out under tokens of no step', async () => {
    const { code, report: found } = await report('--seconds 1 --processes 1', {
      CHAOS_NO_TOKENS: 'on',
    });
    expect(code).toBe(1);
    const whats = found.breaches.map(({ what }) => what);
    expect(whats).toEqual(expect.arrayContaining(['stray-effect', 'model-stranger', 'lost']));
  });

  test('notices runs that do not end, and tells how to look further', async () => {
    const {
      code,
      report: found,
      text,
    } = await report('--seconds 1 --processes 1 --keys 1 --workers 0 --settle 3 --seed 7');
    expect(code).toBe(1);
    expect(found.breaches).toContainEqual(expect.objectContaining({ what: 'stuck' }));
    expect(text).toContain('npm run fuzz -- --seed 7');
  });

  test('refuses an option that is none before anything starts', async () => {
    for (const args of ['--seconds soon', '--keys 0', '--faster']) {
      const { code, stderr } = await fuzz(args);
      expect(code).toBe(2);
      expect(stderr).toContain('npm run fuzz -- [options]');
    }
  });
});
