/** Our worker with the benchmark's agent, in a process of its own, with default settings. */
import { readConfig } from '../../src/config.ts';
import { runWorker } from '../../src/worker/run-worker.ts';
import { benchAgent } from './agent.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
await runWorker(readConfig(), {
  agents: [benchAgent],
  signal: stopping.signal,
  onReady: () => void process.stdout.write('ready\n'),
});
