import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import { assertAnswer } from '../contenders.ts';
import type { Pair } from '../measure.ts';
import { benchAgents } from '../ours/agent.ts';
import { questionFor } from '../shape.ts';

export interface Storm {
  name: keyof Pair;
  /** So many callers start one new run at once and wait for its end; resolves with the runs told. */
  break(callers: number): Promise<Set<string>>;
}

/** Ours: one of them has started the run, and the others are told that it was there. */
export function createOursStorm(temporals: readonly Client[]): Storm {
  return {
    name: 'ours',
    async break(callers) {
      // Of a client that knows nothing, as after a start-up.
      const clients = temporals.map((temporal) => new AgentOnceClient({ temporal }));
      const agent = benchAgents.standard.name;
      const request = { agent, key: randomUUID(), input: questionFor('standard') };
      const started = await ofEach(callers, clients, async (client) => {
        const { closedAt, ...told } = await client.start(request);
        const { runId, replayed } = told;
        // Whoever comes when it has ended already is told the result.
        const ended = closedAt === null ? await client.result(request, { runId }) : told;
        assertAnswer(ended.result ?? ended.error);
        return { runId, replayed };
      });
      const made = started.filter(({ replayed }) => !replayed).length;
      if (made !== 1) throw new Error(`${made} of ${callers} callers were told "new".`);
      return new Set(started.map(({ runId }) => runId));
    },
  };
}

/**
 * The plain workflow, which Temporal has one of under an ID. Whoever comes when it has ended already is
 * refused, and reads its result.
 */
export function createPlainStorm(temporals: readonly Client[]): Storm {
  return {
    name: 'plain',
    async break(callers) {
      const workflowId = `plain-${randomUUID()}`;
      const runIds = new Set<string>();
      await ofEach(callers, temporals, async ({ workflow }) => {
        try {
          const { firstExecutionRunId } = await workflow.start('plainAgent', {
            workflowId,
            workflowIdConflictPolicy: 'USE_EXISTING',
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            taskQueue: 'bench-plain',
            args: [questionFor()],
          });
          runIds.add(firstExecutionRunId);
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        }
        assertAnswer(await workflow.getHandle(workflowId).result());
      });
      return runIds;
    },
  };
}

/** All at once, with the clients in turn. */
function ofEach<C, T>(
  callers: number,
  clients: readonly C[],
  call: (client: C) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: callers }, (_, at) => call(clients[at % clients.length] as C)),
  );
}
