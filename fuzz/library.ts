import type { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { AgentOnceError } from '../src/contract/errors.ts';
import { cut, type Perform, type Told } from './answer.ts';

/** Does what an order says with the TypeScript client. */
export function performWith(client: AgentOnceClient, agent: string): Perform {
  return async (order) => {
    try {
      return await perform(client, agent, order);
    } catch (error) {
      if (error instanceof AgentOnceError) return { code: error.code, text: cut(error.message) };
      return { code: 'an error that is none of ours', text: cut(String(error)) };
    }
  };
}

async function perform(
  client: AgentOnceClient,
  agent: string,
  { operation, key, input, maxTurns, retryFailed, approves }: Parameters<Perform>[0],
): Promise<Told> {
  const run = { agent, key };
  switch (operation) {
    case 'start':
    case 'resume': {
      const { runId, replayed } = await client.start({
        ...run,
        input,
        limits: { maxTurns },
        retryFailed: operation === 'resume' || retryFailed,
      });
      return { code: 'ok', runId, made: !replayed };
    }
    case 'status':
      await client.describe(run);
      return { code: 'ok' };
    case 'cancel':
      await client.cancel(run);
      return { code: 'ok' };
    case 'forget':
      await client.forget(run);
      return { code: 'ok' };
    case 'decide': {
      const { waiting } = await client.describe(run);
      const question = waiting.find(({ kind }) => kind === 'approval');
      if (!question) return { code: 'none' };
      const { step, round } = question;
      await client.decide(run, {
        step,
        round,
        decision: approves ? 'approve' : 'deny',
        by: 'a fuzzing process',
      });
      return { code: 'ok' };
    }
  }
}
