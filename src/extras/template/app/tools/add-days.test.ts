import { expect, test } from '@jest/globals';
import { addDays, dayAfter } from './add-days.ts';

test('add_days goes over the ends of months and years, forwards and backwards', () => {
  expect(dayAfter('2026-02-27', 3)).toEqual({ date: '2026-03-02', weekday: 'Monday' });
  expect(dayAfter('2026-01-01', -1)).toEqual({ date: '2025-12-31', weekday: 'Wednesday' });
});

test('add_days tells the model which dates it cannot name', () => {
  expect(dayAfter('9999-12-31', 1)).toEqual({ error: expect.stringContaining('outside') });
});

test('add_days takes dates that there are', () => {
  expect(addDays.input.safeParse({ date: '2026-02-28', days: 1 }).success).toBe(true);
  expect(addDays.input.safeParse({ date: '2026-02-30', days: 1 }).success).toBe(false);
});
