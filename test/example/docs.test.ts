import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { issueRefund } from '../../src/app/tools/issue-refund.ts';
import { lookupOrder } from '../../src/app/tools/lookup-order.ts';
import { noteOnOrder } from '../../src/app/tools/note-on-order.ts';
import { sendEmail } from '../../src/app/tools/send-email.ts';
import { ROOT } from '../structure/checkout-copy.ts';

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

test('README says above which amount the example asks for approval', () => {
  const [, amount] = /the example asks for one above (\d+) EUR/.exec(read('README.md')) ?? [];
  const { approval } = issueRefund;
  if (typeof approval !== 'function') throw new Error('Its approval is no question of the amount.');
  const asks = (amountEur: number) => approval({ order: 1042, amountEur, reason: 'r' });
  expect([asks(Number(amount)), asks(Number(amount) + 0.01)]).toEqual([false, true]);
});

test('the explanation that operations.md shows has the effects that the tools have', () => {
  const steps = [
    ...read('docs/operations.md').matchAll(/^ +t\d+\.c\d+ +(\w+): .* · ([a-z-]+) · done by/gm),
  ];
  const effects = new Map<string, string>(
    [lookupOrder, issueRefund, noteOnOrder, sendEmail].map(({ name, effect }) => [name, effect]),
  );
  expect(steps.map(([, tool = '']) => tool).sort()).toEqual([...effects.keys()].sort());
  for (const [, tool = '', effect] of steps)
    expect([tool, effect]).toEqual([tool, effects.get(tool)]);
});
