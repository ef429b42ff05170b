import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { benchAgent } from './ours/agent.ts';
import { ANSWER, QUESTION } from './shape.ts';

/** One of the two that are compared. */
export interface Contender {
  name: 'ours' | 'plain';
  /** Starts a run and waits for its answer; resolves with its workflow ID. */
  run(): Promise<string>;
}

/** Ours as a backend uses it: a key for each request. */
export function createOurs(client: AgentOnceClient): Contender {
  return {
    name: 'ours',
    async run() {
      const request = { agent: benchAgent.name, key: randomUUID(), input: QUESTION };
      const run = await client.start(request);
      const { result, error } = await client.result(request, { runId: run.runId });
      assertAnswer(result ?? error);
      return run.workflowId;
    },
  };
}

export function createPlain(temporal: Client): Contender {
  return {
    name: 'plain',
    async run() {
      const handle = await temporal.workflow.start('plainAgent', {
        workflowId: `plain-${randomUUID()}`,
        taskQueue: 'bench-plain',
        args: [QUESTION],
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
