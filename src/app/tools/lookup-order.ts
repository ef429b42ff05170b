import { z } from 'zod';
import { defineTool } from '../../index.ts';
import { askShop } from './shop-client.ts';

/** `read`: it changes nothing, so any attempt may simply run again. */
export const lookupOrder = defineTool({
  name: 'lookup_order',
  description: 'Look up an order: customer, e-mail address, items, total and what was refunded.',
  effect: 'read',
  input: z.object({
    order: z.int().describe('Number of the order, such as 1042'),
  }),
  summary: ({ order }) => `order ${order}`,
  run: ({ order }, ctx) => askShop(ctx, `/orders/${order}`),
});
