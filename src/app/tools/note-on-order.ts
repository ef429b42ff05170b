import { z } from 'zod';
import { defineTool } from '../../index.ts';

/**
 * `transactional`: the note and the record of this step commit together, or not at all. It works
 * for tables in the ledger's own database; the shop made this one there when it started.
 */
export const noteOnOrder = defineTool({
  name: 'note_on_order',
  description:
    'Leave a note on an order for colleagues. A second note of the same run replaces the first.',
  effect: 'transactional',
  input: z.object({
    order: z.int().describe('Number of the order, such as 1042'),
    note: z.string().min(1).max(2000),
  }),
  summary: ({ order }) => `order ${order}`,
  async run({ order, note }, ctx) {
    const { rowCount } = await ctx.tx.query(
      `INSERT INTO shop.notes (order_id, author, note)
       SELECT id, $2, $3 FROM shop.orders WHERE id = $1
       ON CONFLICT (order_id, author) DO UPDATE SET note = excluded.note, written_at = now()`,
      [order, ctx.workflowId, note],
    );
    return rowCount ? { order, noted: true } : { error: `There is no order ${order}.` };
  },
});
