import type { Script, ScriptReply } from '../../src/extras/dev/scripted-model/script.ts';
import type { ChatRequest } from '../../src/extras/dev/scripted-model/wire.ts';
import { offeredTools, textOf } from '../../src/extras/dev/scripted-model/wire.ts';
import type { Call } from './support/tool-results.ts';
import { errorOf, findResult } from './support/tool-results.ts';
import type { Wish } from './support/understand.ts';
import { understand } from './support/understand.ts';

const TOOLS = ['lookup_order', 'issue_refund', 'note_on_order', 'send_email'];

/**
 * What the scripted model says as the support agent: look up, refund, note and e-mail in one turn,
 * a sentence. Each turn is derived from the tool results that the request already holds.
 */
export const script: Script = {
  name: 'support',
  matches: (request) => offeredTools(request).some((name) => TOOLS.includes(name)),
  reply(request): ScriptReply {
    const asked = request.messages.findLast((message) => message.role === 'user');
    const wish = understand(asked ? textOf(asked) : '');
    if (!wish) return { say: 'Please name an order, such as 1042, and what I should do with it.' };
    return nextTurn(request, wish);
  },
};

interface Order {
  customer?: string;
  email?: string;
  items?: string[];
  totalEur?: number;
  refundedEur?: number;
}

function nextTurn(request: ChatRequest, wish: Wish): ScriptReply {
  const lookup: Call = { name: 'lookup_order', arguments: { order: wish.order } };
  let turn = play(request, [lookup]);
  if (turn) return turn;
  const order: Order = findResult(request, lookup) ?? {};
  if (wish.refundEur === undefined) return { say: describe(wish.order, order) };

  if (!offeredTools(request).includes('issue_refund')) {
    return { say: `${describe(wish.order, order)} I have no tool to refund money with.` };
  }

  const amount = `${wish.refundEur.toFixed(2)} EUR`;
  turn = play(request, [
    {
      name: 'issue_refund',
      arguments: {
        order: wish.order,
        amountEur: wish.refundEur,
        reason: 'Asked for by the support team',
      },
    },
  ]);
  turn ??= play(request, [
    {
      name: 'note_on_order',
      arguments: { order: wish.order, note: `Refunded ${amount}.` },
    },
    {
      name: 'send_email',
      arguments: {
        to: order.email ?? 'customer@example.com',
        subject: `Your refund for order ${wish.order}`,
        body: `Hello ${order.customer ?? 'there'},\n\nwe have refunded ${amount} for your order ${wish.order}.\n\nYour shop`,
      },
    },
  ]);
  return turn ?? { say: `Order ${wish.order}: ${amount} refunded. ${farewell(request, order)}` };
}

/** The turn that makes these calls, or the end after an error; `undefined`: they went well. */
function play(request: ChatRequest, calls: Call[]): ScriptReply | undefined {
  const offered = offeredTools(request);
  const possible = calls.filter((call) => offered.includes(call.name));
  const open = possible.filter((call) => findResult(request, call) === undefined);
  if (open.length > 0) return { calls: open };
  const failed = possible.flatMap((call) => errorOf(findResult(request, call)) ?? []);
  if (failed.length === 0) return undefined;
  const order = calls[0]?.arguments['order'];
  return { say: `Order ${order}: that did not work. ${failed.join(' ')}` };
}

function describe(number: number, { customer, items, totalEur, refundedEur }: Order): string {
  if (customer === undefined) return `Order ${number}: I could not look it up.`;
  const money = `${totalEur?.toFixed(2)} EUR, of which ${refundedEur?.toFixed(2)} EUR were refunded`;
  return `Order ${number} of ${customer}: ${items?.join(', ')}; ${money}.`;
}

function farewell(request: ChatRequest, { customer, email }: Order): string {
  return offeredTools(request).includes('send_email') && customer && email
    ? `${customer} was told at ${email}.`
    : 'Nobody was told.';
}
