import { expect, test } from '@jest/globals';
import type { Row } from '../../row.ts';
import { bench } from './run-bench.ts';

const title = ({ modelMs, what, unit }: Row): string => `${modelMs}: ${what}, ${unit}`;
const named = (rows: readonly Row[], what: string): Row => {
  const found = rows.find((row) => row.what === what);
  if (!found) throw new Error(`No row ${what}`);
  return found;
};

// No time is judged here: other suites use the machine at the same time.
test('npm run bench measures runs that wait, and what they cost while all wait', async () => {
  const { stdout, stderr } = await bench(
    '--part waiting --warm-up 2 --repetitions 1 --waiting-runs 5 --waiting-model-ms 500 --held-runs 8 --held-ms 6000 --json',
  );
  const { waiting } = JSON.parse(stdout) as { waiting: { rows: Row[]; notes: string[] } };
  const { rows } = waiting;

  expect(rows.map(title)).toEqual(
    expect.arrayContaining([
      '500: activity slots of the worker, slots',
      '500: 5 runs: all done after, s',
      '500: 5 runs: times the ideal, 1',
      'null: 8 runs wait: ledger, statements that write, 1/s',
    ]),
  );
  const slots = named(rows, 'activity slots of the worker');
  expect(slots.plain.median).toBe(slots.ours.median);
  const calls = named(rows, '5 runs: model calls');
  expect(calls.ours.median).toBeGreaterThanOrEqual(10);
  expect(calls.plain.median).toBeGreaterThanOrEqual(10);
  // Two answers of half a second each, and what is around them.
  const done = named(rows, '5 runs: all done after');
  for (const { min } of [done.ours, done.plain]) expect(min).toBeGreaterThanOrEqual(1);
  // The lease of the worker, and nothing of the steps that wait.
  const writes = named(rows, '8 runs wait: ledger, statements that write');
  expect(writes.ours.median).toBeGreaterThan(0);
  expect(writes.ours.median).toBeLessThan(8);
  expect(writes.plain.median).toBe(0);
  if (process.platform === 'linux') {
    expect(named(rows, '5 runs: CPU of the worker').ours.min).toBeGreaterThan(0);
    expect(named(rows, '5 runs: CPU of Temporal').plain.min).toBeGreaterThan(0);
  } else {
    expect(waiting.notes.join()).toContain('CPU by process is not known');
  }
  for (const { what } of rows) expect(stderr).toContain(` ${what} `);
});

test('npm run bench counts what a run writes and asks, and its actions as the server itself does', async () => {
  const { stdout } = await bench('--part counts --runs 2 --counted-model-ms 0 --json');
  const { counts } = JSON.parse(stdout) as { counts: Row[] };

  for (const lane of ['fast', 'standard']) {
    const actions = named(counts, `actions on Temporal Cloud, ${lane} lane`);
    const byServer = named(counts, `actions, by the server's own count, ${lane} lane`);
    expect(actions.ours.median).toBe(byServer.ours.median);
    expect(actions.plain.median).toBe(byServer.plain.median);
    expect(named(counts, `StartWorkflowExecution, ${lane} lane`).ours.median).toBe(1);
    // Each of the eight steps is claimed and recorded.
    expect(named(counts, `ledger, round trips, ${lane} lane`).ours.median).toBeGreaterThan(8);
    expect(named(counts, `ledger, rows written, ${lane} lane`).ours.median).toBeGreaterThan(8);
    expect(named(counts, `ledger, WAL, ${lane} lane`).ours.median).toBeGreaterThan(1_000);
    expect(named(counts, `ledger, round trips, ${lane} lane`).plain.median).toBe(0);
  }
  expect(named(counts, 'activityTaskScheduled, standard lane').ours.median).toBe(8);
  expect(named(counts, 'markerRecorded, fast lane').ours.median).toBe(4);
});
