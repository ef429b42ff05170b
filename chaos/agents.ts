import { z } from 'zod';
import { defineAgent } from '../src/agents/define-agent.ts';
import type { JsonValue } from '../src/contract/json-value.ts';
import { defineTool, type ToolContext } from '../src/tools/define-tool.ts';

/** The shop of the kit: see `shop.ts`. */
const SHOP = process.env['CHAOS_SHOP_URL'] ?? '';

/** A dead worker is noticed in a second or two. No step may run out of attempts: many are killed. */
const quick = {
  heartbeatMs: 1_500,
  leaseMs: 1_200,
  retry: { initialIntervalMs: 50, maximumIntervalMs: 500, maximumAttempts: 100 },
};

const input = z.object({ label: z.string() });

const look = defineTool({
  name: 'look',
  description: 'Reads.',
  input,
  effect: 'read',
  ...quick,
  run: ({ label }, ctx) => act('look', label, ctx),
});

const charge = defineTool({
  name: 'charge',
  description: 'Charges: the shop honours idempotency keys.',
  input,
  effect: 'keyed',
  ...quick,
  run: ({ label }, ctx) => act('charge', label, ctx),
});

const note = defineTool({
  name: 'note',
  description: "Adds a row in the ledger's own database.",
  input,
  effect: 'transactional',
  ...quick,
  async run({ label }, ctx) {
    await arrive('note', label, ctx);
    await ctx.tx.query('INSERT INTO chaos_notes (label, token) VALUES ($1, $2)', [
      label,
      ctx.token,
    ]);
    return { label };
  },
});

const book = defineTool({
  name: 'book',
  description: 'Books: the shop books each time it is asked, and says what it has booked.',
  input,
  effect: 'reconcile',
  ...quick,
  run: ({ label }, ctx) => act('book', label, ctx),
  async find({ label }, ctx) {
    const response = await fetch(`${SHOP}/effects/book/${label}`, { signal: ctx.signal });
    if (response.status === 404) return undefined;
    return (await answerOf(response)) as JsonValue;
  },
});

const send = defineTool({
  name: 'send',
  description: 'Sends: the shop sends each time it is asked.',
  input,
  effect: 'at-most-once',
  ...quick,
  run: ({ label }, ctx) => act('send', label, ctx),
});

/** One tool of each class. */
export const chaosAgent = defineAgent({
  name: 'chaos',
  description: 'Plays the scripts of the crash kit.',
  instructions: 'You play what the script says.',
  tools: [look, charge, note, book, send],
  model: 'scripted',
  modelPolicy: quick,
});

/** Says who is about to act, so that a process can be stopped right there; then acts. */
async function act(tool: string, label: string, ctx: ToolContext): Promise<unknown> {
  await arrive(tool, label, ctx);
  return post(`effects/${tool}/${label}`, ctx);
}

function arrive(tool: string, label: string, ctx: ToolContext): Promise<unknown> {
  return post(`arrivals/${tool}/${label}/${process.pid}`, ctx);
}

async function post(what: string, { headers, signal }: ToolContext): Promise<unknown> {
  return answerOf(await fetch(`${SHOP}/${what}`, { method: 'POST', headers, signal }));
}

async function answerOf(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`The shop answered ${response.status}`);
  return response.json();
}
