import { z } from 'zod';
import { defineAgent } from '../../src/define/define-agent.ts';
import { defineTool, type ToolContext } from '../../src/define/define-tool.ts';
import type { Lane } from '../../src/contract/step.ts';
import { toolNames } from '../shape.ts';

const input = z.object({ label: z.string() });

export async function count(name: string, ctx: ToolContext): Promise<unknown> {
  const response = await fetch(`${process.env['BENCH_COUNTER_URL']}/count/${name}`, {
    method: 'POST',
    headers: ctx.headers,
    signal: ctx.signal,
  });
  if (!response.ok) throw new Error(`The counter answered ${response.status}`);
  return response.json();
}

/** The same work as the plain workflow's, with nothing set but what an agent must have, and the lane. */
function benchAgent(lane: Lane) {
  const { look, charge } = toolNames(lane);
  return defineAgent({
    name: `bench_${lane}`,
    description: 'Plays the script of the benchmark.',
    instructions: 'You play what the script says.',
    tools: [
      defineTool({
        name: look,
        description: 'Reads; every request counts.',
        effect: 'read',
        lane,
        input,
        run: ({ label }, ctx) => count(`look:${label}`, ctx),
      }),
      defineTool({
        name: charge,
        description: 'Charges; every request counts.',
        effect: 'keyed',
        lane,
        input,
        run: ({ label }, ctx) => count(`charge:${label}`, ctx),
      }),
    ],
  });
}

export const benchAgents = { fast: benchAgent('fast'), standard: benchAgent('standard') };
