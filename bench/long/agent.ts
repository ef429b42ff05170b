import { z } from 'zod';
import { defineAgent } from '../../src/define/define-agent.ts';
import { defineTool } from '../../src/define/define-tool.ts';
import { count } from '../ours/agent.ts';
import { conversation, textOf, TOOL_BYTES } from './conversation.ts';

const input = z.object({ label: z.string() });

/** A hundred turns are more than an agent has when nothing is set; nothing else is. */
export const longAgent = defineAgent({
  name: 'bench_long',
  description: 'Plays a long script of the benchmark.',
  instructions: 'You play what the script says.',
  maxTurns: 10_000,
  tools: [
    defineTool({
      name: 'read_conversation',
      description: 'Reads what was said before; every request counts.',
      effect: 'read',
      input,
      async run({ label }, ctx) {
        await count(`read:${label}`, ctx);
        return conversation();
      },
    }),
    defineTool({
      name: 'look_up',
      description: 'Reads a page; every request counts.',
      effect: 'read',
      input,
      async run({ label }, ctx) {
        await count(`look:${label}`, ctx);
        return textOf(TOOL_BYTES);
      },
    }),
  ],
});
