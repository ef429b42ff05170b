import { z } from 'zod';
import { defineAgent } from '../../src/agents/define-agent.ts';
import { defineTool, type ToolContext } from '../../src/tools/define-tool.ts';

const input = z.object({ label: z.string() });

const look = defineTool({
  name: 'look',
  description: 'Reads; every request counts.',
  effect: 'read',
  input,
  run: ({ label }, ctx) => count(`look:${label}`, ctx),
});

const charge = defineTool({
  name: 'charge',
  description: 'Charges; every request counts.',
  effect: 'keyed',
  input,
  run: ({ label }, ctx) => count(`charge:${label}`, ctx),
});

async function count(name: string, ctx: ToolContext): Promise<unknown> {
  const response = await fetch(`${process.env['BENCH_COUNTER_URL']}/count/${name}`, {
    method: 'POST',
    headers: ctx.headers,
    signal: ctx.signal,
  });
  if (!response.ok) throw new Error(`The counter answered ${response.status}`);
  return response.json();
}

/** The same work as the plain workflow's, with nothing set but what an agent must have. */
export const benchAgent = defineAgent({
  name: 'bench',
  description: 'Plays the script of the benchmark.',
  instructions: 'You play what the script says.',
  tools: [look, charge],
});
