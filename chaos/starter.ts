/** A client process of the crash kit: starts each request as often as it is told, and waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRegistry } from '../src/define/registry.ts';
import { AgentOnceClient } from '../src/client/agent-once-client.ts';
import { connect } from '../src/client/connect.ts';
import { AgentOnceError } from '../src/contract/errors.ts';
import { loadScenario } from './scenario.ts';
import type { StartOrder, Told } from './starters.ts';

const { agents } = await loadScenario(process.env['CHAOS_SCENARIO']);
const { temporal } = await connect();
// With the agents known, runs with fast tools get the short workflow task timeout of theirs.
const registry = createRegistry(agents, { defaultModel: 'scripted' });
const client = new AgentOnceClient({ temporal, registry });
// Its parent alone decides when it ends, and takes it along.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (order: StartOrder) => {
  for (const afterMs of order.afterMs) {
    void ask(order, afterMs).then((told) => process.send?.(told));
  }
});
process.send?.('ready');

/** A careful client: as long as the server is away, the same request again, with the same key. */
async function ask({ request }: StartOrder, afterMs: number): Promise<Told> {
  await sleep(afterMs);
  const { key, agent } = request;
  try {
    const { replayed, runId } = await insist(() => client.start(request));
    const { status, result, error } = await insist(() => client.result({ agent, key }));
    return { key, replayed, runId, status, result, error: error?.code ?? null };
  } catch (error) {
    const code = error instanceof AgentOnceError ? error.code : String(error);
    return { key, replayed: false, runId: '', status: 'failed', result: null, error: code };
  }
}

async function insist<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const away = error instanceof AgentOnceError && error.code.startsWith('temporal.');
      if (!away) throw error;
      await sleep(300);
    }
  }
}
