import { z } from 'zod';
import { defineTool } from '../../../../index.ts';
import { settings } from '../settings.ts';

/** `read`: it changes nothing in the world, so any attempt may simply run again. */
export const addDays = defineTool({
  name: 'add_days',
  description: 'Tell which date, and which day of the week, is so many days after a date.',
  effect: 'read',
  input: z.object({
    date: z.iso.date().describe('Such as 2026-02-27'),
    days: z.int().min(-100_000).max(100_000).describe('Negative for days before'),
  }),
  summary: ({ date, days }) => `${date} ${days < 0 ? '-' : '+'} ${Math.abs(days)} days`,
  // A tool that asks another service sends `ctx.headers` along, and stops with `ctx.signal`.
  run: ({ date, days }) => Promise.resolve(dayAfter(date, days)),
});

/** @returns `error` is for the model to hear; what is thrown is tried again */
function dayAfter(
  date: string,
  days: number,
): { date: string; weekday: string } | { error: string } {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  const iso = day.toISOString();
  if (!/^\d{4}-/.test(iso)) return { error: `${iso} is outside the years 0 to 9999.` };
  const weekday = day.toLocaleDateString(settings.language(), { weekday: 'long', timeZone: 'UTC' });
  return { date: iso.slice(0, 10), weekday };
}
