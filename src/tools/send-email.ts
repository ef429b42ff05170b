import { z } from 'zod';
import { defineTool } from './define-tool.ts';
import { askShop } from './shop-client.ts';

/** `keyed`: the shop's mailer honours `Idempotency-Key`, so one call is one e-mail. */
export const sendEmail = defineTool({
  name: 'send_email',
  description: 'Send an e-mail to a customer.',
  effect: 'keyed',
  input: z.object({
    to: z.email(),
    subject: z.string().min(1).max(200),
    body: z.string().min(1).max(10_000),
  }),
  // No address: summaries are shown in Temporal UI to whoever may see runs.
  summary: ({ subject }) => subject,
  run: (email, ctx) => askShop(ctx, '/emails', email),
});
