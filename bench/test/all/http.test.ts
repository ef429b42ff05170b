import { expect, test } from '@jest/globals';
import type { HttpReport } from '../../http/http-part.ts';
import type { Row } from '../../row.ts';
import { bench } from './run-bench.ts';

/** What is measured over one connection, and over several. */
const CASES = ['a new start', 'a replay', 'a key with another body'];

// No figure is judged here: other suites use the machine at the same time. That both send Temporal
// the same, and that every answer is the one that is expected, the benchmark itself insists on.
test('npm run bench measures our service and the bare route, and what replays leave behind', async () => {
  const { stdout, stderr } = await bench(
    '--part http --repetitions 1 --requests 4 --connections 2 --replays 20 --json',
  );
  const { rows, http } = JSON.parse(stdout) as { rows: Row[]; http: HttpReport };

  expect(rows).toEqual([]);
  expect(http.rows.map(({ what }) => what)).toEqual([
    ...CASES,
    ...CASES.map((what) => `${what}, 2 at once`),
  ]);
  for (const { ours, plain, ratio } of http.rows) {
    expect(ours.min).toBeGreaterThan(0);
    expect(plain.min).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(ours.median / plain.median);
  }
  expect(http.memory.map(({ replays }) => replays)).toEqual([
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20,
  ]);
  for (const { heapUsed, rss } of http.memory) {
    expect(heapUsed).toBeGreaterThan(1_000_000);
    expect(rss).toBeGreaterThan(heapUsed);
  }
  for (const { what } of http.rows) expect(stderr).toContain(`| ${what} `);
});
