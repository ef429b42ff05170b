import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ROOT } from '../../structure/checkout-copy.ts';
import { eventually } from '../../support/eventually.ts';
import { within } from '../../support/within.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'agent-once-suites-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const HANGS = `
test('passes first', () => {});
test('hangs', async () => {
  require('node:fs').writeFileSync(require('node:path').join(__dirname, 'hangs'), '');
  await new Promise(() => {});
}, 3_600_000);`;
const QUICK = `
test('passes', () => {});
test('passes too', () => {});
test('fails', () => { throw new Error('on purpose'); });`;

/** Runs the command on suites of its own, which need no servers. */
async function startTests(suites: Record<string, string>, env: Record<string, string> = {}) {
  for (const [name, text] of Object.entries(suites)) {
    await writeFile(path.join(folder, `${name}.test.cjs`), text);
  }
  const config = { rootDir: folder, testMatch: ['**/*.test.cjs'], transform: {} };
  const child = spawn(
    process.execPath,
    ['scripts/test.mjs', `--config=${JSON.stringify(config)}`],
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = within(
    new Promise<{ code: number | null; lines: string[]; stderr: string }>((resolve) =>
      child.once('close', (code) => resolve({ code, lines: stdout.trimEnd().split('\n'), stderr })),
    ),
    () => `the tests ended. They wrote:\n${stdout}${stderr}`,
  );
  return { child, ended, stderr: () => stderr };
}

/** Waits until the one suite hangs and the other one has ended. */
async function untilItHangs(stderr: () => string): Promise<void> {
  await eventually(
    () => {
      expect(existsSync(path.join(folder, 'hangs'))).toBe(true);
      expect(stderr()).toMatch(/FAIL .*quick\.test\.cjs/);
    },
    () => stderr(),
  );
}

describe('the command that runs the tests', () => {
  test('ends with what passed and failed, and says where the rest is', async () => {
    const { ended } = await startTests({ quick: QUICK });
    const { code, lines } = await ended;
    expect(code).toBe(1);
    expect(lines).toEqual([
      expect.stringContaining('`npm run test:all` has the rest'),
      '2 passed, 1 failed',
    ]);
  });

  test('counts what has passed and failed when its net tears, and names what had not ended', async () => {
    const { ended } = await startTests(
      { quick: QUICK, hangs: HANGS },
      // Many times as long as both take to get there.
      { AGENT_ONCE_TEST_NET_SECONDS: '30' },
    );
    const { code, lines, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain('The tests have not ended within 30 s and are stopped.');
    expect(lines[0]).toMatch(/^These suites had not ended: \S*hangs\.test\.cjs\.$/);
    expect(lines.at(-1)).toBe('3 passed, 2 failed');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('does so too when %s ends it', async (signal) => {
    const { child, ended, stderr } = await startTests({ quick: QUICK, hangs: HANGS });
    await untilItHangs(stderr);
    child.kill(signal);
    const { code, lines } = await ended;
    expect(code).toBe(1);
    expect(lines.slice(0, 2)).toEqual([
      `The tests were ended by ${signal}.`,
      expect.stringMatching(/^These suites had not ended: \S*hangs\.test\.cjs\.$/),
    ]);
    expect(lines.at(-1)).toBe('3 passed, 2 failed');
  });

  test('counts a suite that cannot be loaded as a failure', async () => {
    const { ended } = await startTests({ quick: QUICK, broken: "require('./not-there');" });
    expect((await ended).lines.at(-1)).toBe('2 passed, 2 failed');
  });
});
