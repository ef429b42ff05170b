import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { startOf } from '../http/start-of.ts';
import { createPair, measureDuplicates, type Pair } from '../measure.ts';
import { benchAgents } from '../ours/agent.ts';
import { ANSWER, questionFor } from '../shape.ts';

/**
 * The same request again by a client that has not seen the key: a start that is refused, a look, and
 * the result. Against these three requests, with the same contents.
 */
export async function measureNewcomers(
  temporal: Client,
  { repetitions, duplicates }: { repetitions: number; duplicates: number },
): Promise<Pair> {
  const agent = benchAgents.standard.name;
  const request = { agent, key: randomUUID(), input: questionFor('standard') };
  const { workflowId } = await new AgentOnceClient({ temporal }).start(request);
  await new AgentOnceClient({ temporal }).result(request);
  const duplicate = async (): Promise<void> => {
    const { replayed, result } = await new AgentOnceClient({ temporal }).start(request);
    if (!replayed || result !== ANSWER) throw new Error('A duplicate was not replayed');
  };

  const { type, searchAttributes, ...same } = await startOf(temporal, workflowId);
  const typedSearchAttributes = Object.entries(searchAttributes).map(([name, value]) => ({
    key: defineSearchAttributeKey(name, 'KEYWORD'),
    value,
  }));
  const start = { ...same, workflowId, typedSearchAttributes } as const;
  const handle = temporal.workflow.getHandle(workflowId);
  const bare = async (): Promise<void> => {
    const refused = await temporal.workflow
      .start(type, { ...start, workflowIdReusePolicy: 'REJECT_DUPLICATE' })
      .catch((error: unknown) => error);
    if (!(refused instanceof WorkflowExecutionAlreadyStartedError)) throw refused;
    await handle.describe();
    await handle.result();
  };

  await measureDuplicates(duplicate, bare, duplicates, createPair());
  const times = createPair();
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    await measureDuplicates(duplicate, bare, duplicates, times);
  }
  return times;
}
