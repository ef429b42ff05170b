import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import type { Lane } from '../src/contract/step.ts';
import { benchAgents } from './ours/agent.ts';
import { ANSWER, questionFor } from './shape.ts';

/** One of those that are compared: ours with its tools in either lane, and the plain workflow. */
export interface Contender {
  name: Lane | 'plain';
  /** Starts a run and waits for its answer; resolves with its workflow ID. */
  run(): Promise<string>;
}

/** Ours as a backend uses it: a key for each request. */
export function createOurs(client: AgentOnceClient, lane: Lane): Contender {
  const agent = benchAgents[lane].name;
  const input = questionFor(lane);
  return {
    name: lane,
    async run() {
      const request = { agent, key: randomUUID(), input };
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
        args: [questionFor()],
      });
      assertAnswer(await handle.result());
      return handle.workflowId;
    },
  };
}

/** What did not do the work has no time worth comparing. */
export function assertAnswer(answer: unknown): void {
  if (answer !== ANSWER) throw new Error(`A run ended with ${JSON.stringify(answer)}`);
}
