import { expect, test } from '@jest/globals';
import { difference } from '../http/requests-to-temporal.ts';
import { countedBetween } from '../temporal-metrics.ts';
import { readOptions } from '../options.ts';
import { rowOf } from '../row.ts';
import { requestRows } from '../storm/storm-part.ts';

test('what was counted in between has only the kinds of which there were more', () => {
  const before = new Map([
    ['Start', 2],
    ['Describe', 5],
  ]);
  const after = new Map([
    ['Start', 3],
    ['Describe', 5],
    ['Poll', 7],
  ]);
  expect([...countedBetween(before, after)]).toEqual([
    ['Start', 1],
    ['Poll', 7],
  ]);
  expect(difference(before, after)).toBe('1 Start, 7 Poll');
});

test('each kind of request that either has sent is a row', () => {
  const rows = requestRows(new Map([['Start', 1]]), new Map([['Poll', 100]]));
  expect(rows).toEqual([
    { kind: 'Poll', values: { ours: [0], plain: [100] } },
    { kind: 'Start', values: { ours: [1], plain: [0] } },
  ]);
  expect(rows.map(({ kind, values }) => rowOf(null, 'a storm', kind, values).ratio)).toEqual([
    0,
    Infinity,
  ]);
});

test('a storm has callers and clients', () => {
  expect(readOptions(['--part', 'storm', '--callers', '20', '--clients', '1,4'])).toMatchObject({
    parts: ['storm'],
    callers: 20,
    clients: [1, 4],
  });
  expect(() => readOptions(['--callers', '1'])).toThrow('--callers must be a whole number from 2.');
  expect(() => readOptions(['--clients', '0'])).toThrow('--clients must be a whole number from 1.');
});
