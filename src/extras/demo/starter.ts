import { once } from 'node:events';
import { openClient } from '../../client/open-client.ts';
import { readConfig } from '../../config.ts';
import type { StartOrder, StartAnswer } from './starters.ts';

/**
 * One of the demo's client processes: connects, waits for the word, starts the same request several
 * times at once, and hands what each start was told to its parent.
 */
export async function startOnWord(): Promise<void> {
  const client = await openClient(readConfig());
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
  await client.close();
  process.disconnect?.();
}
