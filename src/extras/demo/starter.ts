/**
 * One of the demo's client processes: connects, waits for the word, starts the same request several
 * times at once, and hands what each start was told to its parent.
 */
import { once } from 'node:events';
import { AgentOnceClient } from '../../client/agent-once-client.ts';
import { connect } from '../../client/connect.ts';
import type { StartOrder, StartAnswer } from './starters.ts';

const { temporal, close } = await connect();
const client = new AgentOnceClient({ temporal });
process.send?.('ready');
const [order] = (await once(process, 'message')) as [StartOrder];
const answers = await Promise.all(
  Array.from({ length: order.times }, async (): Promise<StartAnswer> => {
    try {
      const { workflowId, runId, replayed } = await client.start(order.request);
      return { workflowId, runId, replayed };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }),
);
process.send?.(answers);
await close();
process.disconnect?.();
