import { z } from 'zod';
import { defineTool } from '../../index.ts';
import { askShop } from './shop-client.ts';

/**
 * `at-most-once`: an e-mail that was sent cannot be called back, and most mailers know no
 * idempotency keys. An attempt that ends without an answer is not repeated: a person looks it up
 * and decides. What the shop refused was not sent (`NotApplied`), and is tried again.
 */
export const sendEmail = defineTool({
  name: 'send_email',
  description: 'Send an e-mail to a customer.',
  effect: 'at-most-once',
  input: z.object({
    to: z.email(),
    subject: z.string().min(1).max(200),
    body: z.string().min(1).max(10_000),
  }),
  outcomeDeadline: { seconds: 24 * 60 * 60, otherwise: 'fail' },
  // No address: summaries are shown in Temporal UI to whoever may see runs.
  summary: ({ subject }) => subject,
  run: (email, ctx) => askShop(ctx, '/emails', email),
});
