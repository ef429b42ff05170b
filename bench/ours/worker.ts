/** Our worker with the benchmark's agents, in a process of its own, with default settings. */
import { readConfig } from '../../src/config.ts';
import { runWorker } from '../../src/worker/run-worker.ts';
import { benchAgents } from './agent.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
await runWorker(readConfig(), {
  agents: Object.values(benchAgents),
  signal: stopping.signal,
  onReady: () => void process.stdout.write('ready\n'),
});
