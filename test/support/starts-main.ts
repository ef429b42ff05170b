/** A process that starts one request many times at once; `races.test.ts` forks several. */
import { connect } from '../../src/client/connect.ts';
import { AgentOnceClient } from '../../src/client/agent-once-client.ts';
import type { StartRequest } from '../../src/client/types.ts';

/** What became of one start. */
export type StartOutcome = { runId: string; replayed: boolean } | { code: string };

const { temporal, close } = await connect();
const client = new AgentOnceClient({ temporal, searchAttributes: false });
process.on('disconnect', () => process.exit(1));
process.on('message', (message: { request: StartRequest; times: number }) => {
  const starts = Array.from({ length: message.times }, () => start(message.request));
  void Promise.all(starts).then(async (outcomes) => {
    process.send?.(outcomes);
    await close();
    process.removeAllListeners('disconnect');
    process.disconnect?.();
  });
});
process.send?.('ready');

async function start(request: StartRequest): Promise<StartOutcome> {
  try {
    const { runId, replayed } = await client.start(request);
    return { runId, replayed };
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error) };
  }
}
