import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import type { Lane } from '../src/contract/step.ts';
import { benchAgents } from './ours/agent.ts';
import { ANSWER, questionFor } from './shape.ts';

/** Ours with its tools in either lane, or with its model in the fast one too. */
type Ours = Lane | 'local';

/** One of those that are compared: ours, and the plain workflow, also with local activities alone. */
export interface Contender {
  name: Ours | 'plain' | 'plainLocal';
  /** Starts a run and waits for its answer; resolves with its workflow ID. */
  run(): Promise<string>;
}

/** Ours as a backend uses it: a key for each request. */
export function createOurs(client: AgentOnceClient, name: Ours): Contender {
  const agent = benchAgents[name].name;
  const input = questionFor(name === 'standard' ? 'standard' : 'fast');
  return {
    name,
    async run() {
      const request = { agent, key: randomUUID(), input };
      const run = await client.start(request);
      const { result, error } = await client.result(request, { runId: run.runId });
      assertAnswer(result ?? error);
      return run.workflowId;
    },
  };
}

export function createPlain(temporal: Client, name: 'plain' | 'plainLocal' = 'plain'): Contender {
  return {
    name,
    async run() {
      const handle = await temporal.workflow.start(`${name}Agent`, {
        workflowId: `plain-${randomUUID()}`,
        taskQueue: 'bench-plain',
        args: [questionFor()],
      });
      assertAnswer(await handle.result());
      return handle.workflowId;
    },
  };
}

/** What did not do the work has no time worth comparing. */
function assertAnswer(answer: unknown): void {
  if (answer !== ANSWER) throw new Error(`A run ended with ${JSON.stringify(answer)}`);
}
