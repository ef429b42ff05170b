import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import type { Lane } from '../src/contract/step.ts';
import { benchAgents } from './ours/agent.ts';
import type { BenchServers } from './servers.ts';
import { ANSWER, MODEL_CALLS, questionFor, TOOL_CALLS } from './shape.ts';

/** Ours with its tools in either lane, or with its model in the fast one too. */
type Ours = Lane | 'local';

/** One of those that are compared: ours, and the plain workflow, also with local activities alone. */
export interface Contender {
  name: Ours | 'plain' | 'plainLocal';
  /** Starts a run and waits for its answer; resolves with its workflow ID. */
  run(): Promise<string>;
  /** Starts a run under a key and does not wait; resolves with its workflow ID, which ends in the key. */
  start(key: string): Promise<string>;
}

/**
 * Ours as a backend uses it: a key for each request.
 *
 * @param input what the model is asked
 */
export function createOurs(
  client: AgentOnceClient,
  name: Ours,
  input = questionFor(name === 'standard' ? 'standard' : 'fast'),
): Contender {
  const agent = benchAgents[name].name;
  return {
    name,
    start: async (key) => (await client.start({ agent, key, input })).workflowId,
    async run() {
      const request = { agent, key: randomUUID(), input };
      const run = await client.start(request);
      const { result, error } = await client.result(request, { runId: run.runId });
      assertAnswer(result ?? error);
      return run.workflowId;
    },
  };
}

export function createPlain(
  temporal: Client,
  name: 'plain' | 'plainLocal' = 'plain',
  input = questionFor(),
): Contender {
  const start = (key: string) =>
    temporal.workflow.start(`${name}Agent`, {
      workflowId: `plain-${key}`,
      taskQueue: 'bench-plain',
      args: [input],
    });
  return {
    name,
    start: async (key) => (await start(key)).workflowId,
    async run() {
      const handle = await start(randomUUID());
      assertAnswer(await handle.result());
      return handle.workflowId;
    },
  };
}

/** What did not do the work has no time worth comparing. */
export function assertAnswer(answer: unknown): void {
  if (answer !== ANSWER) throw new Error(`A run ended with ${JSON.stringify(answer)}`);
}

/** A figure counts only if all do the same: as many requests to the model, as many to the tools. */
export async function doesItsWork(servers: BenchServers, contender: Contender): Promise<void> {
  const before = await servers.requests();
  await contender.run();
  const after = await servers.requests();
  const model = after.model - before.model;
  const tools = after.tools - before.tools;
  if (model === MODEL_CALLS && tools === TOOL_CALLS) return;
  throw new Error(
    `A run of ${contender.name} made ${model} model calls and ${tools} tool calls instead of ${MODEL_CALLS} and ${TOOL_CALLS}.`,
  );
}
