import { z } from 'zod';
import { defineAgent } from '../../src/define/define-agent.ts';
import { defineTool, type ToolContext, type ToolDefinition } from '../../src/define/define-tool.ts';
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

function benchTools(lane: Lane) {
  const { look, charge } = toolNames(lane);
  return [
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
  ];
}

/** The same work as the plain workflow's, with nothing set but what an agent must have, and the lanes. */
function benchAgent(name: string, tools: readonly ToolDefinition[], modelLane?: 'fast') {
  return defineAgent({
    name: `bench_${name}`,
    description: 'Plays the script of the benchmark.',
    instructions: 'You play what the script says.',
    tools,
    ...(modelLane ? { modelLane } : {}),
  });
}

const fastTools = benchTools('fast');
export const benchAgents = {
  fast: benchAgent('fast', fastTools),
  standard: benchAgent('standard', benchTools('standard')),
  local: benchAgent('local', fastTools, 'fast'),
};
