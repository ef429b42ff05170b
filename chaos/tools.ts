import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { JsonValue } from '../src/contract/json-value.ts';
import type { Lane } from '../src/contract/step.ts';
import { defineTool, type ToolContext, type ToolDefinition } from '../src/define/define-tool.ts';

/** The shop of the kit: see `shop.ts`. */
const SHOP = process.env['CHAOS_SHOP_URL'] ?? '';
/** Between the two writes of a transaction: long enough for a fault to meet it open. */
const OPEN_MS = 100;

/** A dead worker is noticed in a second or two. No step may run out of attempts: many are killed. */
export const QUICK = {
  heartbeatMs: 1_500,
  leaseMs: 1_200,
  retry: { initialIntervalMs: 50, maximumIntervalMs: 500, maximumAttempts: 100 },
};

const input = z.object({ label: z.string() });

/** The name of a tool in one of the lanes. */
export function nameIn(lane: Lane, name: string): string {
  return lane === 'fast' ? `fast_${name}` : name;
}

/** One tool of each class; and of the classes that people are asked about, one with an approval. */
export function toolsIn(lane: Lane): ToolDefinition[] {
  const fast = lane === 'fast';
  // The claim of a fast step holds for as long as an attempt may take, and a second longer.
  const policy = fast ? { ...QUICK, lane, startToCloseMs: 2_000 } : QUICK;
  const named = (name: string) => ({ name: nameIn(lane, name), input, ...policy });
  // Tools of the standard lane listen to their signal, those of the fast one do not: whoever acts
  // late in spite of it is what the guards are for.
  const act = async (tool: string, label: string, ctx: ToolContext): Promise<unknown> => {
    await arrive(tool, label, ctx);
    return post(`effects/${tool}/${label}`, ctx, fast ? undefined : ctx.signal);
  };

  const look = named('look');
  const charge = named('charge');
  const note = named('note');
  const book = named('book');
  const send = named('send');
  const pay = named('pay');
  const wire = named('wire');
  return [
    defineTool({
      ...look,
      description: 'Reads.',
      effect: 'read',
      run: ({ label }, ctx) => act(look.name, label, ctx),
    }),
    defineTool({
      ...charge,
      description: 'Charges: the shop honours idempotency keys.',
      effect: 'keyed',
      run: ({ label }, ctx) => act(charge.name, label, ctx),
    }),
    defineTool({
      ...note,
      description: "Adds a row in the ledger's own database.",
      effect: 'transactional',
      async run({ label }, ctx) {
        await arrive(note.name, label, ctx);
        await ctx.tx.query('INSERT INTO chaos_notes (tool, label, token) VALUES ($1, $2, $3)', [
          note.name,
          label,
          ctx.token,
        ]);
        return { label };
      },
    }),
    defineTool({
      ...book,
      description: 'Books: the shop books each time it is asked, and says what it has booked.',
      effect: 'reconcile',
      run: ({ label }, ctx) => act(book.name, label, ctx),
      async find({ label }, { headers, signal }) {
        const response = await fetch(`${SHOP}/effects/${book.name}/${label}`, { headers, signal });
        if (response.status === 404) return undefined;
        return (await answerOf(response)) as JsonValue;
      },
    }),
    defineTool({
      ...send,
      description: 'Sends: the shop sends each time it is asked.',
      effect: 'at-most-once',
      run: ({ label }, ctx) => act(send.name, label, ctx),
    }),
    defineTool({
      ...pay,
      description: 'Pays in two rows, which there must be both or neither, once it is approved.',
      effect: 'transactional',
      approval: 'always',
      async run({ label }, ctx) {
        const write = (side: string) =>
          ctx.tx.query(
            'INSERT INTO chaos_payments (tool, label, token, side) VALUES ($1, $2, $3, $4)',
            [pay.name, label, ctx.token, side],
          );
        await write('debit');
        // Whoever is stopped here is stopped in an open transaction.
        await arrive(pay.name, label, ctx);
        await sleep(OPEN_MS);
        await write('credit');
        return { label };
      },
    }),
    defineTool({
      ...wire,
      description: 'Sends money, each time it is asked, once it is approved.',
      effect: 'at-most-once',
      approval: 'always',
      run: ({ label }, ctx) => act(wire.name, label, ctx),
    }),
  ];
}

/**
 * Says who is about to act, so that a process can be stopped right there. Without a signal: a process
 * that was stopped goes on to act when it wakes, whatever it is told first.
 */
function arrive(tool: string, label: string, ctx: ToolContext): Promise<unknown> {
  return post(`arrivals/${tool}/${label}/${process.pid}`, ctx);
}

async function post(what: string, ctx: ToolContext, signal?: AbortSignal): Promise<unknown> {
  const { headers } = ctx;
  return answerOf(
    await fetch(`${SHOP}/${what}`, { method: 'POST', headers, ...(signal ? { signal } : {}) }),
  );
}

async function answerOf(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`The shop answered ${response.status}`);
  return response.json();
}
