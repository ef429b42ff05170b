/** A worker with the example's agent, which must look an order up first: small models do little else. */
import { support } from '../../../src/app/agents/support.ts';
import { readConfig } from '../../../src/config.ts';
import { defineAgent } from '../../../src/define/define-agent.ts';
import { runWorker } from '../../../src/worker/run-worker.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
await runWorker(readConfig(), {
  agents: [
    defineAgent({
      ...support,
      toolChoice: { tool: 'lookup_order' },
      maxOutputTokens: 200,
      temperature: 0,
      maxTurns: 2,
    }),
  ],
  signal: stopping.signal,
});
