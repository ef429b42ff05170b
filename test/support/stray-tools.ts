import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Effect } from '../../src/contract/step.ts';
import { defineTool, type ToolContext } from '../../src/define/define-tool.ts';

/** Calls its listeners from outside any step, as a client that all share does. */
const shared = new EventEmitter();
setInterval(() => shared.emit('tick'), 20).unref();

/** In which way code throws where nothing awaits it; each waits for what then never comes. */
const WAYS = {
  'a floating promise': () => {
    void (async () => {
      await sleep(5);
      throw new Error('stray: a floating promise');
    })();
  },
  'a rejection at once': () => void Promise.reject(new Error('stray: a rejection at once')),
  'a timer': () =>
    void setTimeout(() => {
      throw new Error('stray: a timer');
    }, 5),
  'a callback of fs': () =>
    readFile(import.meta.filename, () => {
      throw new Error('stray: a callback of fs');
    }),
  'a listener of a socket': () => {
    const { hostname, port } = new URL(process.env['TEST_COUNTER_URL'] ?? '');
    const socket = net.connect(Number(port), hostname, () => {
      socket.destroy();
      throw new Error('stray: a listener of a socket');
    });
  },
  'an error event without a listener': () => void net.connect(1, '127.0.0.1'),
  'a listener of its signal': (ctx: ToolContext) =>
    ctx.signal.addEventListener('abort', () => {
      throw new Error('stray: a listener of its signal');
    }),
  'a listener on an emitter from outside': () =>
    void shared.once('tick', () => {
      throw new Error('stray: a listener on an emitter from outside');
    }),
  'the death of its process': () => void process.kill(process.pid, 'SIGKILL'),
} satisfies Record<string, (ctx: ToolContext) => void>;

export type StrayWay = keyof typeof WAYS;

const input = z.object({
  label: z.string(),
  way: z.enum(Object.keys(WAYS) as [StrayWay, ...StrayWay[]]),
  /** In which attempts. */
  until: z.number().default(1),
  /** `returns`: the call goes on and ends; `hangs`: it does not; `gone`: it has ended before. */
  end: z.enum(['returns', 'hangs', 'obeys', 'gone']).default('hangs'),
});

async function run(
  { label, way, until, end }: z.infer<typeof input>,
  ctx: ToolContext,
): Promise<unknown> {
  const response = await fetch(`${process.env['TEST_COUNTER_URL']}/count/stray:${label}`, {
    method: 'POST',
    headers: ctx.headers,
  });
  await response.text();
  if (ctx.attempt > until) return 'done';
  if (end === 'gone') {
    setTimeout(() => WAYS[way](ctx), 200);
    return 'done';
  }
  WAYS[way](ctx);
  if (end === 'returns') {
    await sleep(200);
    return 'done';
  }
  if (end === 'obeys') {
    await once(ctx.signal, 'abort').catch(() => {});
    throw ctx.signal.reason;
  }
  return new Promise(() => {});
}

const heartbeatMs = Number(process.env['TEST_HEARTBEAT_MS'] ?? 4_000);

function strayTool(effect: Exclude<Effect, 'transactional' | 'reconcile'>) {
  return defineTool({
    name: `stray_${effect.replaceAll('-', '_')}`,
    description: 'Throws where nothing awaits it.',
    input,
    effect,
    heartbeatMs,
    leaseMs: heartbeatMs * 0.8,
    retry: { initialIntervalMs: 10, maximumIntervalMs: 20, maximumAttempts: 2 },
    run,
  });
}

const strayReconcile = defineTool({
  name: 'stray_reconcile',
  description: 'Throws where nothing awaits it.',
  input,
  effect: 'reconcile',
  heartbeatMs,
  leaseMs: heartbeatMs * 0.8,
  retry: { initialIntervalMs: 10, maximumIntervalMs: 20, maximumAttempts: 2 },
  run,
  find: () => Promise.resolve(undefined),
});

const strayTransactional = defineTool({
  name: 'stray_transactional',
  description: 'Throws where nothing awaits it.',
  input,
  effect: 'transactional',
  heartbeatMs,
  leaseMs: heartbeatMs * 0.8,
  retry: { initialIntervalMs: 10, maximumIntervalMs: 20, maximumAttempts: 2 },
  async run(given, ctx) {
    await ctx.tx.query('INSERT INTO notes (label, token) VALUES ($1, $2)', [
      given.label,
      ctx.token,
    ]);
    return run(given, ctx);
  },
});

/** One for each effect. */
export const strayTools = [
  strayTool('read'),
  strayTool('keyed'),
  strayTransactional,
  strayReconcile,
  strayTool('at-most-once'),
];
