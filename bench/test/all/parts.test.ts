import { expect, test } from '@jest/globals';
import { bench } from './run-bench.ts';

interface Parts {
  rows: unknown[];
  parts: { part: string; figures: unknown }[];
}

// No figure is judged here. That every run does its work, the benchmark itself insists on.
test('npm run bench measures long runs, many, a large ledger, and killed workers', async () => {
  const { stdout, stderr } = await bench(
    '--part long --part many --part ledger --part recovery --turns 6 --backlog 10 --rows 10000 --kills 1 --json',
  );
  const { rows, parts } = JSON.parse(stdout) as Parts;
  expect(rows).toEqual([]);
  expect(parts.map(({ part }) => part)).toEqual(['long', 'many', 'ledger', 'recovery']);
  const [long, many, ledger, recovery] = parts.map(({ figures }) => figures);

  // The conversation is in the plain workflow's history with every turn, and in ours with none.
  const ours = { turns: 6, answered: true, history: { perTurn: expect.any(Array) } };
  expect(long).toMatchObject([ours, ours, { turns: 6, answered: true, ledger: null }]);
  const bytes = (long as { history: { bytes: number } }[]).map(({ history }) => history.bytes);
  expect(bytes[0]).toBeLessThan(200_000);
  expect(bytes[2]).toBeGreaterThan(4_000_000);

  for (const { memory } of many as { memory: { runs: number; heapUsed: number }[] }[]) {
    expect(memory.at(-1)).toMatchObject({ runs: 10, heapUsed: expect.any(Number) });
  }
  expect(ledger).toMatchObject({
    few: 5_000,
    rows: 10_000,
    rowsMeasured: expect.arrayContaining([
      expect.objectContaining({ what: 'claim + record' }),
      expect.objectContaining({ what: "a turn's read" }),
      expect.objectContaining({ what: "the cleaner's batch, 20 runs" }),
    ]),
  });
  for (const { takenOver, ended } of recovery as { takenOver: number[]; ended: number[] }[]) {
    expect(takenOver).toHaveLength(1);
    expect(ended[0]).toBeGreaterThanOrEqual(takenOver[0] ?? 0);
  }
  expect(stderr).toContain('steps: Index Scan using steps_pkey');
});
