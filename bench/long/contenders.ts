import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import type { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { longAgent } from './agent.ts';
import { LONG_ANSWER, longQuestion } from './conversation.ts';

/** One that holds a long conversation. */
export interface LongContender {
  name: string;
  program: 'ours/worker.ts' | 'long/worker.ts';
  start(modelCalls: number): Promise<LongRun>;
}

export interface LongRun {
  workflowId: string;
  runId: string;
  /** Resolves with what the run ended with: its answer, or what it died of. */
  end: Promise<string>;
}

export function longContenders(client: AgentOnceClient, temporal: Client): LongContender[] {
  const ours = (name: string, question: (modelCalls: number) => string): LongContender => ({
    name,
    program: 'ours/worker.ts',
    async start(modelCalls) {
      const request = { agent: longAgent, key: randomUUID(), input: question(modelCalls) };
      const { workflowId, runId } = await client.start(request);
      const end = client.result(request).then(({ result, error }) => result ?? error?.message);
      return { workflowId, runId, end: end.then(String) };
    },
  });
  return [
    ours('ours, conversation from a tool', (calls) =>
      longQuestion(calls, 'look_up', 'read_conversation'),
    ),
    ours('ours, conversation as the input', (calls) => longQuestion(calls, 'look_up')),
    {
      name: 'plain workflow',
      program: 'long/worker.ts',
      async start(modelCalls) {
        const handle = await temporal.workflow.start('plainLong', {
          workflowId: `plain-long-${randomUUID()}`,
          taskQueue: 'bench-long',
          args: [longQuestion(modelCalls, 'look')],
        });
        const { workflowId, firstExecutionRunId: runId } = handle;
        return { workflowId, runId, end: handle.result().then(String, whyNot) };
      },
    },
  ];
}

/** Whether a run has done all of its work. */
export function hasAnswered(end: string): boolean {
  return end === LONG_ANSWER;
}

function whyNot(error: unknown): string {
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error.cause?.message ?? error.message;
}
