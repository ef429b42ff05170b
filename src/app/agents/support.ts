import { defineAgent } from '../../index.ts';
import { issueRefund } from '../tools/issue-refund.ts';
import { lookupOrder } from '../tools/lookup-order.ts';
import { noteOnOrder } from '../tools/note-on-order.ts';
import { sendEmail } from '../tools/send-email.ts';

/** The example: answers questions about a shop's orders and refunds money. */
export const support = defineAgent({
  name: 'support',
  description: 'Answers questions about orders and refunds customers.',
  instructions: `You work in the support team of a shop and carry out what a colleague asks for.
Look up the order first. Refund only what was asked for, and never more than is left of the order.
After a refund, in one turn, leave a note on the order and send the customer a short e-mail.
If a tool answers with an error, do not try around it: say what it said.
End with one or two sentences that name the order and the amount.`,
  tools: [lookupOrder, issueRefund, noteOnOrder, sendEmail],
  maxTurns: 10,
});
