/** What an app has of its own: a worker with `TEST_OWN_APP=1` runs it. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { z } from 'zod';
import { createClient, defineAgent, defineTool } from '../../../src/index.ts';

export { activities } from './activities.ts';
export const folder = import.meta.dirname;

const input = z.object({ name: z.string() });
const retry = { initialIntervalMs: 10, maximumIntervalMs: 20, maximumAttempts: 3 };

/** Of all calls of this process. */
let client: ReturnType<typeof createClient> | undefined;

const greetGuest = defineTool({
  name: 'greet_guest',
  description: 'Starts a workflow; the first attempt dies after that.',
  effect: 'keyed',
  input,
  retry,
  async run({ name }, ctx) {
    const { temporal, queues } = (await (client ??= createClient())).context;
    const { workflow } = temporal;
    await workflow
      .start('greet', {
        workflowId: ctx.token,
        taskQueue: queues.workflows,
        args: [name, 0],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      })
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      });
    if (ctx.attempt === 1) throw new Error('The answer was lost.');
    return workflow.getHandle(ctx.token).result();
  },
});

const rememberGuest = defineTool({
  name: 'remember_guest',
  description: 'Writes into a table of the app.',
  effect: 'transactional',
  input,
  retry,
  async run({ name }, ctx) {
    await ctx.tx.query('INSERT INTO app.guests (name, token) VALUES ($1, $2)', [name, ctx.token]);
    return { remembered: name };
  },
});

export const agents = [
  defineAgent({
    name: 'host',
    description: 'Plays scripts.',
    instructions: 'You play what the script says.',
    tools: [greetGuest, rememberGuest],
  }),
];
