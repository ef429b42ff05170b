import { z } from 'zod';
import { defineTool } from '../../index.ts';
import { askShop } from './shop-client.ts';

const APPROVED_ABOVE_EUR = 100;

/**
 * `keyed`: the shop deduplicates. Every attempt sends the same `Idempotency-Key`, so an attempt
 * after a crash gets the answer of the refund that was booked, and books none. Above 100 EUR
 * somebody must approve first; a denial is an answer that the model hears.
 */
export const issueRefund = defineTool({
  name: 'issue_refund',
  description: 'Refund a part of an order, or all of it, to the customer. Moves money.',
  effect: 'keyed',
  input: z.object({
    order: z.int().describe('Number of the order, such as 1042'),
    amountEur: z.number().positive().multipleOf(0.01).describe('Euros, such as 25 or 12.5'),
    reason: z.string().min(1).max(500).describe('Why; the customer can read it'),
  }),
  approval: ({ amountEur }) => amountEur > APPROVED_ABOVE_EUR,
  approvalDeadline: { seconds: 24 * 60 * 60, otherwise: 'deny' },
  summary: ({ order, amountEur }) => `order ${order} · ${amountEur.toFixed(2)} EUR`,
  run: (refund, ctx) => askShop(ctx, '/refunds', refund),
});
