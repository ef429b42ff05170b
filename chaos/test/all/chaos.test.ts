import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { chaos, startChaos, stopChaos } from '../run-chaos.ts';
import { eventually } from '../../../test/support/eventually.ts';

afterEach(stopChaos);

/** In the environment of everything that the kit starts, so that what is left of it is found. */
const MARK = 'CHAOS_TEST_MARK';

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

describe('npm run chaos', () => {
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

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('leaves no process behind on %s', async (signal, expected) => {
    const mark = `${signal}-${process.pid}`;
    const child = startChaos('--runs 500 --kills 100', { [MARK]: mark });
    child.stdout?.resume();
    let said = '';
    child.stderr?.on('data', (chunk) => (said += String(chunk)));
    // In the middle of it: workers, clients and servers are at work, though one may just be killed.
    await eventually(() => {
      expect(said).toMatch(/of 500 runs/);
      expect(markedProcesses(mark).length).toBeGreaterThan(5);
    });
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as unknown[];
    // What it said tells why it ended otherwise.
    expect([code, code === expected ? '' : said]).toEqual([expected, '']);
    await eventually(() => expect(markedProcesses(mark)).toEqual([]));
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
