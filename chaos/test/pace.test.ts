import { expect, test } from '@jest/globals';
import { isRunDue } from '../pace.ts';

test('as long as a fault is left, no moment without a run lasts: faults wait for runs', () => {
  for (const runs of [1, 5, 100]) {
    for (const faults of [1, 10, 40]) {
      for (let done = 0; done < faults; done += 1) {
        for (let started = 0; started <= runs + 1; started += 1) {
          const counts = { runs, concurrency: 16, faults, done, started, open: 0 };
          expect({ ...counts, due: isRunDue(counts) }).toEqual({ ...counts, due: true });
        }
      }
    }
  }
});

test('runs are started in proportion to the faults that were done, and all in the end', () => {
  const counts = { runs: 100, concurrency: 16, faults: 40, open: 1 };
  expect(isRunDue({ ...counts, done: 0, started: 9 })).toBe(true);
  expect(isRunDue({ ...counts, done: 0, started: 10 })).toBe(false);
  expect(isRunDue({ ...counts, done: 40, started: 99 })).toBe(true);
  expect(isRunDue({ ...counts, done: 40, started: 100 })).toBe(false);
  expect(isRunDue({ ...counts, done: 40, started: 100, open: 0 })).toBe(false);
});

test('when all that were wanted were started, the faults that are left get a few more', () => {
  const counts = { runs: 5, concurrency: 16, faults: 40, done: 38, started: 5 };
  expect(isRunDue({ ...counts, open: 5 })).toBe(true);
  expect(isRunDue({ ...counts, open: 6 })).toBe(false);
});

test('no more runs are open at once than wanted', () => {
  const counts = { runs: 100, concurrency: 2, faults: 4, done: 2, started: 5 };
  expect(isRunDue({ ...counts, open: 1 })).toBe(true);
  expect(isRunDue({ ...counts, open: 2 })).toBe(false);
});
