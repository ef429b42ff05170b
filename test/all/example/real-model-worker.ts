/** A worker with the example's agent, which looks the order up first, and one whose answer a small model can be held to. */
import { z } from 'zod';
import { support } from '../../../src/app/agents/support.ts';
import { readConfig } from '../../../src/config.ts';
import { defineAgent } from '../../../src/define/define-agent.ts';
import { runWorker } from '../../../src/worker/run-worker.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
const brief = { maxOutputTokens: 300, temperature: 0 };
await runWorker(readConfig(), {
  agents: [
    defineAgent({
      ...support,
      ...brief,
      toolChoice: { tool: 'lookup_order' },
      parallelToolCalls: false,
      maxTurns: 3,
    }),
    defineAgent({
      name: 'clerk',
      description: 'Reads what a customer wants.',
      instructions: 'Read the order number, and whether the customer wants money back.',
      tools: [],
      output: z.object({ order: z.int(), wantsRefund: z.boolean() }),
      ...brief,
    }),
  ],
  signal: stopping.signal,
});
