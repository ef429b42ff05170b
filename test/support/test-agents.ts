import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { defineAgent, type AgentDefinition } from '../../src/define/define-agent.ts';
import { defineTool, type ToolContext } from '../../src/define/define-tool.ts';
import { NotApplied } from '../../src/define/not-applied.ts';
import { editableTools } from './editable-tools.ts';
import { strayTools } from './stray-tools.ts';

/** The counter that a test started: see `counter-server.ts`. */
const COUNTER_URL = process.env['TEST_COUNTER_URL'] ?? '';

async function count(name: string, ctx: ToolContext): Promise<unknown> {
  const response = await fetch(`${COUNTER_URL}/count/${name}`, {
    method: 'POST',
    headers: ctx.headers,
    signal: ctx.signal,
  });
  if (!response.ok) throw new Error(`The counter answered ${response.status}`);
  return response.json();
}

/**
 * A dead worker is noticed soon, and failures are not waited for: tests make many. But a worker that
 * lives must not be late, or its step goes to another attempt: on a busy machine it may stand still
 * for longer than a second.
 */
const heartbeatMs = Number(process.env['TEST_HEARTBEAT_MS'] ?? 4_000);
const quick = {
  heartbeatMs,
  leaseMs: heartbeatMs * 0.8,
  retry: { initialIntervalMs: 10, maximumIntervalMs: 20, maximumAttempts: 2 },
};

const label = z.object({ label: z.string() });

const look = defineTool({
  name: 'look',
  description: 'Reads; every request counts.',
  input: label,
  effect: 'read',
  ...quick,
  summary: (input) => `look at ${input.label}`,
  run: (input, ctx) => count(`look:${input.label}`, ctx),
});

const charge = defineTool({
  name: 'charge',
  description: 'Charges once per token.',
  input: label,
  effect: 'keyed',
  ...quick,
  summary: (input) => `charge ${input.label}`,
  run: (input, ctx) => count(`charge:${input.label}`, ctx),
});

const note = defineTool({
  name: 'note',
  description: 'Adds a row to a table beside the ledger.',
  input: label,
  effect: 'transactional',
  ...quick,
  async run(input, ctx) {
    const { rows } = await ctx.tx.query<{ id: string }>(
      'INSERT INTO notes (label, token) VALUES ($1, $2) RETURNING id',
      [input.label, ctx.token],
    );
    if (input.label.startsWith('gated')) {
      await fetch(`${COUNTER_URL}/count/gate:note`, { method: 'POST' });
    }
    if (input.label.startsWith('throws') && ctx.attempt === 1) throw new Error('after the effect');
    return { id: rows[0]?.id };
  },
});

/** Fails as often as it is told to, in all its attempts together. */
const flaky = defineTool({
  name: 'flaky',
  description: 'Fails some times, then works.',
  input: z.object({ failures: z.number().int() }),
  effect: 'read',
  retry: { initialIntervalMs: 10, maximumIntervalMs: 20, maximumAttempts: 3 },
  run: async (input, ctx) => {
    await count('flaky', ctx);
    if (ctx.attempt <= input.failures) throw new Error(`failure ${ctx.attempt}`);
    return { attempt: ctx.attempt };
  },
});

/** What looks like a line of the log, and steers a terminal. */
const FAKE_LINE = 'no\n2026-11-30T00:00:00.000Z [INFO] Refunded\u001b[2J\u001b]0;title\u0007\u202e';

/** Misbehaves in the way it is asked to. */
const odd = defineTool({
  name: 'odd',
  description: 'Returns or throws what a tool should not.',
  input: z.object({
    how: z.enum([
      'bigint',
      'map',
      'circular',
      'huge',
      'loud',
      'half-a-pair',
      'unencodable',
      'lines',
      'large',
      'undefined',
      'error-object',
    ]),
  }),
  effect: 'read',
  retry: { initialIntervalMs: 10, maximumAttempts: 2 },
  async run({ how }, ctx) {
    await count(`odd:${how}`, ctx);
    switch (how) {
      case 'bigint':
        return { n: 1n };
      case 'map':
        return new Map([[1, 2]]);
      case 'circular': {
        const loop: Record<string, unknown> = {};
        loop['self'] = loop;
        return loop;
      }
      case 'huge':
        return 'x'.repeat(10 * 1024 * 1024);
      case 'large':
        return Array.from({ length: 40_000 }, (_, i) => ({ id: i, text: 'the same again' }));
      case 'half-a-pair':
        throw new Error(`declined: ${'👍'.slice(0, 1)}`);
      case 'unencodable':
        if (ctx.attempt > 1) return 'fine';
        // Opens the gate: the line after ends this worker, as any hole in the gate would.
        String.prototype.toWellFormed = String.prototype.toString;
        String.prototype.isWellFormed = () => true;
        throw new Error(`declined: ${'👍'.slice(0, 1)}`);
      case 'lines':
        ctx.log.info(FAKE_LINE);
        throw new Error(FAKE_LINE);
      case 'loud':
        throw new Error('y'.repeat(5 * 1024 * 1024));
      case 'undefined':
        return undefined;
      case 'error-object':
        throw { not: 'an error' } as unknown as Error;
    }
  },
});

/** Runs until its signal aborts. */
const endless = defineTool({
  name: 'endless',
  description: 'Works until it is told to stop.',
  input: z.object({}),
  effect: 'read',
  async run(_input, ctx) {
    await count('endless:begun', ctx);
    await new Promise((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error), {
        once: true,
      });
    });
  },
});

/** Ends in its own time, whatever its signal says. */
const deaf = defineTool({
  name: 'deaf',
  description: 'Does not listen.',
  input: z.object({ label: z.string(), ms: z.number() }),
  effect: 'keyed',
  ...quick,
  async run({ label, ms }, ctx) {
    const counted = await count(`deaf:${label}`, ctx);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return counted;
  },
});

/** Has a single attempt, and works until its signal aborts. */
const once = defineTool({
  name: 'once',
  description: 'Is tried once.',
  input: label,
  effect: 'keyed',
  ...quick,
  retry: { maximumAttempts: 1 },
  async run(input, ctx) {
    await count(`once:${input.label}`, ctx);
    if (process.env['TEST_ONCE_RETURNS'] === '1') return 'done';
    return new Promise((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error), {
        once: true,
      });
    });
  },
});

const sleepyNote = defineTool({
  name: 'sleepy_note',
  description: 'Adds a row, slowly.',
  input: z.object({ label: z.string(), seconds: z.number() }),
  effect: 'transactional',
  ...quick,
  heartbeatMs: Number(process.env['TEST_SLEEPY_HEARTBEAT_MS'] ?? heartbeatMs),
  // No heartbeat takes longer than an attempt.
  startToCloseMs: 1_800_000,
  scheduleToCloseMs: 1_800_000,
  retry: { maximumAttempts: 1 },
  async run({ label, seconds }, ctx) {
    await ctx.tx.query('INSERT INTO notes (label, token) VALUES ($1, $2)', [label, ctx.token]);
    await ctx.tx.query('SELECT pg_sleep($1)', [seconds]);
    return { label };
  },
});

/** In its first attempt it is paused, as its process might be, with its transaction open. */
const pausedNote = defineTool({
  name: 'paused_note',
  description: 'Adds a row, and pauses before it is done.',
  input: label,
  effect: 'transactional',
  ...quick,
  async run(input, ctx) {
    await ctx.tx.query('INSERT INTO notes (label, token) VALUES ($1, $2)', [
      input.label,
      ctx.token,
    ]);
    if (ctx.attempt === 1) await new Promise((resolve) => setTimeout(resolve, 2 * quick.leaseMs));
    return { attempt: ctx.attempt };
  },
});

/**
 * Arguments are parsed between the claim and the effect: there these ask the counter, and wait. Not
 * where the call is planned.
 */
const gatedLabel = label.refine(async (input) => {
  if (!isParsedLate(input) || !Context.current().info.activityType.startsWith('tool.')) return true;
  await fetch(`${COUNTER_URL}/count/parse:${input.label}`, { method: 'POST' });
  await fetch(`${COUNTER_URL}/count/parsed:${input.label}`, { method: 'POST' });
  return true;
});

function isParsedLate(input: z.infer<typeof label>): boolean {
  return input.label.startsWith('parsed');
}

/** Does not look at its signal: only the check right before it keeps back what comes too late. */
function deafly(ctx: ToolContext): ToolContext {
  return { ...ctx, signal: new AbortController().signal };
}

/** Counts every request: nothing on the other side deduplicates. */
const send = defineTool({
  name: 'send',
  description: 'Sends, at most once.',
  input: gatedLabel,
  effect: 'at-most-once',
  ...quick,
  outcomeDeadline: {
    seconds: Number(process.env['TEST_DEADLINE_SECONDS'] ?? 3_600),
    otherwise: 'fail',
  },
  summary: (input) => `send ${input.label}`,
  async run(input, ctx) {
    if (input.label.startsWith('refused')) {
      if (ctx.attempt === 1) throw new NotApplied('the connection was refused');
    }
    const counted = await count(`send:${input.label}`, isParsedLate(input) ? deafly(ctx) : ctx);
    if (input.label.startsWith('turned-down') && (counted as { requests: number }).requests === 1) {
      throw new NotApplied('the other side said no');
    }
    // As services do that put the whole of what they were sent into their errors.
    if (input.label.startsWith('loud')) throw new Error('語'.repeat(2_000));
    return input.label.startsWith('unspeakable') ? new Map() : counted;
  },
});

const book = defineTool({
  name: 'book',
  description: 'Books what can be looked up.',
  input: gatedLabel,
  effect: 'reconcile',
  ...quick,
  async run(input, ctx) {
    if (input.label.startsWith('gated')) {
      await fetch(`${COUNTER_URL}/count/gate:${input.label}`, { method: 'POST' });
      // A request that is under way when the claim is lost cannot be called back.
      return count(`book:${input.label}`, deafly(ctx));
    }
    return count(`book:${input.label}`, isParsedLate(input) ? deafly(ctx) : ctx);
  },
  async find(input, ctx) {
    const response = await fetch(`${COUNTER_URL}/count/book:${input.label}`, {
      headers: ctx.headers,
    });
    const { times } = (await response.json()) as { times: number };
    return times > 0 ? { found: times } : undefined;
  },
});

const spend = defineTool({
  name: 'spend',
  description: 'Spends; from 100 on somebody must approve.',
  input: z.object({ label: z.string(), amount: z.number() }),
  effect: 'keyed',
  ...quick,
  approval: (input) => input.amount >= 100,
  approvalDeadline: {
    seconds: Number(process.env['TEST_DEADLINE_SECONDS'] ?? 3_600),
    otherwise: 'deny',
  },
  summary: (input) => `spend ${input.amount} on ${input.label}`,
  run: (input, ctx) => count(`spend:${input.label}`, ctx),
});

/** Reads, once a run, what is always the same. */
const recall = defineTool({
  name: 'recall',
  description: 'Reads what does not change.',
  input: label,
  effect: 'read',
  ...quick,
  dedup: 'run',
  async run(input, ctx) {
    await count(`recall:${input.label}`, ctx);
    return { recalled: input.label };
  },
});

/** What the other side does not deduplicate, or not well: each request counts, with its token. */
const ship = defineTool({
  name: 'ship',
  description: 'Ships once in a while.',
  input: z.object({ label: z.string(), ms: z.number().default(0) }),
  effect: 'keyed',
  // A worker that is only slow must not count as dead: then the call is made again.
  retry: quick.retry,
  dedup: { windowSeconds: Number(process.env['TEST_WINDOW_SECONDS'] ?? 600) },
  summary: (input) => `ship ${input.label}`,
  shadow: (input) => ({ shipped: input.label }),
  async run({ label, ms }, ctx) {
    const counted = await count(`ship:${label}`, ctx);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return counted;
  },
});

const tools = [
  look,
  recall,
  ship,
  charge,
  note,
  flaky,
  odd,
  endless,
  deaf,
  once,
  sleepyNote,
  pausedNote,
  send,
  book,
  spend,
];
const instructions = 'You play what the script says.';

/** What `assessor` answers. */
const verdict = z
  .object({ verdict: z.enum(['good', 'bad']), points: z.number(), note: z.string().trim() })
  .refine(async ({ points }) => points >= 0, { path: ['points'], error: 'Points are from 0' });

export const assessor = defineAgent({
  name: 'assessor',
  description: 'Answers with an object, and has tools.',
  instructions,
  tools,
  output: verdict,
  model: 'scripted-priced',
  maxTurns: 6,
  modelPolicy: {
    ...quick,
    retry: { initialIntervalMs: 20, maximumIntervalMs: 200, maximumAttempts: 4 },
  },
});

/** Agents of the core's own tests: they must not need the example. */
export const testAgents = [
  defineAgent({
    name: 'tester',
    description: 'Plays scripts.',
    instructions,
    tools,
    maxTurns: 8,
    keyTtlSeconds: Number(process.env['TEST_KEY_TTL_SECONDS'] ?? 86_400),
    model: 'scripted-priced',
    modelPolicy: {
      ...quick,
      retry: { initialIntervalMs: 20, maximumIntervalMs: 200, maximumAttempts: 4 },
    },
  }),
  defineAgent({
    name: 'thrifty',
    description: 'Shares model calls that are under way.',
    instructions,
    tools,
    model: 'scripted-priced',
    coalesce: true,
  }),
  defineAgent({
    name: 'thriftier',
    description: 'Keeps what models answered.',
    instructions,
    tools,
    model: 'scripted-priced',
    cacheModelSeconds: Number(process.env['TEST_CACHE_SECONDS'] ?? 600),
  }),
  defineAgent({
    name: 'stray',
    description: 'Has code that nothing awaits.',
    instructions,
    tools: [...strayTools, send],
    model: 'scripted-priced',
  }),
  defineAgent({
    name: 'editor',
    description: 'Has calls whose arguments people change.',
    instructions,
    tools: [...editableTools(count, quick), spend],
    model: 'scripted-priced',
    modelPolicy: { ...quick, retry: { initialIntervalMs: 20, maximumIntervalMs: 200 } },
  }),
  defineAgent({ name: 'short', description: 'Has two turns.', instructions, tools, maxTurns: 2 }),
  defineAgent({
    name: 'brief',
    description: 'Is forgotten soon.',
    instructions,
    tools,
    keyTtlSeconds: 2,
  }),
  defineAgent({
    name: 'windowed',
    description: 'Needs no key for a while.',
    instructions,
    tools,
    dedupeWindowSeconds: Number(process.env['TEST_START_WINDOW_SECONDS'] ?? 600),
  }),
  defineAgent({
    name: 'patient',
    description: 'Has a slow model.',
    instructions,
    tools,
    modelPolicy: { heartbeatMs: 600_000, leaseMs: 60_000 },
  }),
  defineAgent({
    name: 'chooser',
    description: 'Must ask for a tool at first.',
    instructions,
    tools,
    model: 'scripted-priced',
    toolChoice: 'required',
    reasoningEffort: 'low',
    extraBody: { service_tier: 'flex' },
  }),
  defineAgent({
    name: 'cautious',
    description: 'Has models to fall back to.',
    instructions,
    tools,
    model: 'first',
    fallbacks: ['second', 'third'],
    modelPolicy: {
      ...quick,
      retry: { initialIntervalMs: 20, maximumIntervalMs: 200, maximumAttempts: 6 },
    },
  }),
  assessor,
  defineAgent({ ...assessor, name: 'assessor_alone', tools: [] }),
  defineAgent({ ...assessor, name: 'sharing_assessor', cacheModelSeconds: 600 }),
  defineAgent({
    name: 'hasty',
    description: 'Gives its model little time for each attempt.',
    instructions,
    tools,
    model: 'scripted-priced',
    modelPolicy: { ...quick, startToCloseMs: 3_000 },
  }),
  defineAgent({
    name: 'unhurried',
    description: 'Gives its model little time for each attempt, and waits long before the next.',
    instructions,
    tools,
    model: 'scripted-priced',
    modelPolicy: {
      ...quick,
      startToCloseMs: 3_000,
      retry: { initialIntervalMs: 600_000, maximumIntervalMs: 600_000, maximumAttempts: 2 },
    },
  }),
  defineAgent({
    name: 'frugal',
    description: 'Keeps what its models answered.',
    instructions,
    tools,
    model: 'first',
    fallbacks: ['second'],
    cacheModelSeconds: 600,
  }),
  defineAgent({
    name: 'discreet',
    description: 'Shows no results in history.',
    instructions,
    tools,
    historyResults: 'none',
  }),
];

/** The same agents, for a ledger that does not take tools of these effects. */
export function withoutEffects(effects: readonly string[]): typeof testAgents {
  return testAgents.map((agent) => ({
    ...agent,
    tools: agent.tools.filter(({ effect }) => !effects.includes(effect)),
  }));
}

/**
 * `TEST_LANE=fast` in the environment of a worker, or of a whole suite: all tools are in it;
 * `TEST_MODEL_LANE=fast`: models too.
 */
export function inLane(given: AgentDefinition[]): AgentDefinition[] {
  const agents = process.env['TEST_MODEL_LANE'] === 'fast' ? given.map(withFastModel) : given;
  if (process.env['TEST_LANE'] !== 'fast') return agents;
  const moved = new Map(
    agents.flatMap((agent) => agent.tools).map((tool) => [tool, { ...tool, ...FAST }]),
  );
  return agents.map((agent) => ({
    ...agent,
    tools: agent.tools.map((tool) => moved.get(tool) ?? tool),
  }));
}

function withFastModel(agent: AgentDefinition): AgentDefinition {
  const { startToCloseMs, heartbeatMs, leaseMs } = FAST;
  const modelPolicy = { ...agent.modelPolicy, startToCloseMs, heartbeatMs, leaseMs };
  return { ...agent, modelPolicy, modelLane: 'fast' };
}

const FAST = {
  lane: 'fast' as const,
  // The claim of a worker that died holds a second longer.
  startToCloseMs: Number(process.env['TEST_FAST_MS'] ?? 2_000),
  scheduleToCloseMs: Number(process.env['TEST_FAST_TOTAL_MS'] ?? 600_000),
  // For calls that leave the lane.
  heartbeatMs: 1_000,
  leaseMs: 800,
};
