import { expect, test } from '@jest/globals';
import type { Row } from '../../row.ts';
import { bench } from './run-bench.ts';

/** What is measured for each time that the model takes. */
const RUN_ROWS = [
  ['time per run', 'ms'],
  ['of it in Temporal', 'ms'],
  ['runs per second, 2 at once', '1/s'],
  ['CPU of the worker per run', 'ms'],
  ['history per run', 'events'],
  ['history per run', 'bytes'],
].flatMap(([what, unit]) =>
  ['fast lane', 'standard lane', 'all local'].map((of) => `${what}, ${of}, ${unit}`),
);

// No figure is judged here: other suites use the machine at the same time.
test('npm run bench measures all in every row, and says on what', async () => {
  const { stdout, stderr } = await bench(
    '--part runs --warm-up 2 --repetitions 1 --runs 2 --concurrency 2 --duplicates 2 --model-ms 0,20 --json',
  );
  const report = JSON.parse(stdout) as { machine: Record<string, unknown>; rows: Row[] };

  const titles = report.rows.map(({ modelMs, what, unit }) => `${modelMs}: ${what}, ${unit}`);
  expect(titles).toEqual([
    ...RUN_ROWS.map((title) => `0: ${title}`),
    ...RUN_ROWS.map((title) => `20: ${title}`),
    'null: a duplicate, against describe + result, ms',
    'null: one by a client new to the key, ms',
  ]);
  for (const { ours, plain, ratio } of report.rows) {
    for (const { median, min, max } of [ours, plain]) {
      expect(min).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(min);
      expect(max).toBeGreaterThanOrEqual(median);
    }
    expect(ratio).toBeCloseTo(ours.median / plain.median);
  }
  // A model that takes 20 ms for each of 4 answers shows in both.
  const slow = report.rows.filter(
    ({ modelMs, what }) => modelMs === 20 && what.startsWith('time per run'),
  );
  expect(slow).toHaveLength(3);
  for (const { ours, plain } of slow) {
    expect(ours.min).toBeGreaterThanOrEqual(80);
    expect(plain.min).toBeGreaterThanOrEqual(80);
  }
  // A call in the fast lane is one event; in the standard lane three, and a workflow task's.
  const [fast, standard] = report.rows.filter(({ unit }) => unit === 'events');
  expect(fast?.ours.max).toBeLessThan(standard?.ours.min ?? 0);
  expect(report.machine).toMatchObject({
    cores: expect.any(Number),
    node: process.version,
    temporalServer: expect.stringMatching(/^\d+\./),
    postgres: expect.stringMatching(/^\d+\./),
  });
  for (const { what } of report.rows) expect(stderr).toContain(`| ${what} `);
});

test('an option that is none, or no number, is refused before anything starts', async () => {
  await expect(bench('--repetitions many')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--repetitions must be a whole number from 1.'),
  });
  await expect(bench('--part smtp')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--part is one of runs, http'),
  });
  await expect(bench('--faster')).rejects.toMatchObject({ code: 2 });
});
