import { expect, test } from '@jest/globals';
import { createTestContext, runTool } from '../../../../index.ts';
import { addDays } from './add-days.ts';

const ask = (date: string, days: number) =>
  runTool(addDays, { date, days }, createTestContext(addDays));

test('add_days goes over the ends of months and years, forwards and backwards', async () => {
  expect(await ask('2026-02-27', 3)).toEqual({ date: '2026-03-02', weekday: 'Monday' });
  expect(await ask('2026-01-01', -1)).toEqual({ date: '2025-12-31', weekday: 'Wednesday' });
});

test('add_days tells the model which dates it cannot name', async () => {
  expect(await ask('9999-12-31', 1)).toEqual({ error: expect.stringContaining('outside') });
});

test('add_days refuses a date that there is not', async () => {
  await expect(ask('2026-02-30', 1)).rejects.toThrow();
});
