import { expect, test } from '@jest/globals';
import { script } from './calendar.ts';

const ask = (...messages: { role: 'user' | 'tool'; content: string }[]) =>
  script.reply({ model: 'scripted', messages });

test('the scripted model asks for the tool, and says what it returned', () => {
  const question = { role: 'user' as const, content: 'Which day is 3 days after 2026-02-27?' };
  const call = { name: 'add_days', arguments: { date: '2026-02-27', days: 3 } };
  expect(ask(question)).toEqual({ calls: [call] });
  const result = JSON.stringify({ date: '2026-03-02', weekday: 'Monday' });
  expect(ask(question, { role: 'tool', content: result })).toEqual({
    say: 'That is Monday, 2026-03-02.',
  });
});
