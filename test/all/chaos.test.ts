import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, jest, test } from '@jest/globals';
import { describeAll } from '../support/describe-all.ts';
import { eventually } from '../support/eventually.ts';
import { ROOT } from '../structure/checkout-copy.ts';

interface Report {
  clean: boolean;
  stuck: boolean;
  seed: number;
  runs: number;
  starts: number;
  kills: number;
  zombies: number;
  schedule: string[];
  faults: Record<string, number>;
  classes: { class: string; wanted: number; once: number; doubled: number; lost: number }[];
  findings: { what: string; class: string | null }[];
}

// Servers and workers are started again and again, while other suites use the machine.
jest.setTimeout(400_000);

/** In the environment of everything that the kit starts, so that what is left of it is found. */
const MARK = 'CHAOS_TEST_MARK';

const started: ChildProcess[] = [];

/** One that a test has given up waiting for. */
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGINT');
});

function startChaos(args: string, env: Record<string, string> = {}): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--import', './bin/register-typescript.js', 'chaos/main.ts', '--json', ...args.split(' ')],
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  started.push(child);
  return child;
}

async function chaos(
  args: string,
  env: Record<string, string> = {},
): Promise<{ code: unknown; report: Report; text: string }> {
  const child = startChaos(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as unknown[];
  if (stdout === '') throw new Error(`The crash kit gave no report:\n${stderr}`);
  return { code, report: JSON.parse(stdout) as Report, text: stderr };
}

/** Processes, by number, that have the mark in their environment. */
function markedProcesses(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${MARK}=${mark}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

describeAll('npm run chaos', () => {
  test('keeps every promise when workers, servers and wires are killed, stopped and cut', async () => {
    const { code, report, text } = await chaos('--runs 30 --kills 8');
    // The whole of it, should it fail: the seed, the schedule, what was found.
    expect({ code, ...report }).toMatchObject({ code: 0, clean: true, stuck: false, findings: [] });
    expect(report.runs).toBeGreaterThanOrEqual(30);
    expect(report.starts).toBe(4 * report.runs);
    expect(report.kills).toBe(8);
    expect(report.zombies).toBeGreaterThanOrEqual(1);
    expect(Object.values(report.faults).reduce((sum, times) => sum + times)).toBe(
      report.schedule.length,
    );
    expect(report.classes.map(({ class: name }) => name)).toEqual([
      'read',
      'keyed',
      'transactional',
      'reconcile',
      'at-most-once',
      'model',
    ]);
    for (const { wanted, once: exactly, doubled, lost } of report.classes) {
      expect(wanted).toBeGreaterThanOrEqual(report.runs);
      expect(exactly + doubled).toBe(wanted);
      expect(lost).toBe(0);
    }
    expect(text).toContain(`Seed ${report.seed}`);
    expect(text).toContain('Every promise was kept.');
  });

  test('notices that keyed tools get another token in each attempt', async () => {
    const { code, report } = await chaos(
      '--runs 4 --workers 1 --faults after-effect:charge,after-effect:charge',
      { AGENT_ONCE_TEST_NO_TOKENS: 'on' },
    );
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ what: 'doubled', class: 'keyed' }),
    );
    expect(report.findings).toContainEqual(expect.objectContaining({ what: 'model-stranger' }));
  });

  test('notices that nobody checks the fence', async () => {
    const { code, report, text } = await chaos(
      '--runs 4 --workers 2 --faults zombie:note,zombie:note,zombie:note',
      { AGENT_ONCE_TEST_NO_FENCE: 'on' },
    );
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ what: 'doubled', class: 'transactional' }),
    );
    expect(text).toMatch(/promises? (was|were) broken/);
  });

  test('notices that every claim is granted', async () => {
    const { code, report } = await chaos(
      '--runs 4 --workers 1 --faults after-record:send,before-report:send,after-record:model',
      { AGENT_ONCE_TEST_NO_CLAIM: 'on' },
    );
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ what: 'doubled', class: 'at-most-once' }),
    );
    expect(report.findings).toContainEqual(expect.objectContaining({ what: 'model-paid-again' }));
  });

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('leaves no process behind on %s', async (signal, expected) => {
    const mark = `${signal}-${process.pid}`;
    const child = startChaos('--runs 500 --kills 100', { [MARK]: mark });
    child.stdout?.resume();
    let said = '';
    child.stderr?.on('data', (chunk) => (said += String(chunk)));
    // In the middle of it: workers, clients and servers are at work.
    await eventually(() => expect(said).toMatch(/of 500 runs/), 120_000);
    expect(markedProcesses(mark).length).toBeGreaterThan(5);
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as unknown[];
    expect(code).toBe(expected);
    await eventually(() => expect(markedProcesses(mark)).toEqual([]), 40_000);
  });

  test('refuses an option that is none before anything starts', async () => {
    for (const args of ['--runs many', '--faults explode:all', '--faster']) {
      const child = startChaos(args);
      let said = '';
      child.stderr?.on('data', (chunk) => (said += String(chunk)));
      expect(await once(child, 'close')).toEqual([2, null]);
      expect(said).toContain('npm run chaos -- [options]');
    }
  });
});
