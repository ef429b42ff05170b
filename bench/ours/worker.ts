/** Our worker with the benchmark's agents, in a process of its own, with default settings. */
import { readConfig } from '../../src/config.ts';
import { runWorker } from '../../src/worker/run-worker.ts';
import { answerParent } from '../answer-parent.ts';
import { longAgent } from '../long/agent.ts';
import { benchAgents } from './agent.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
const parent = answerParent();
await runWorker(readConfig(), {
  agents: [...Object.values(benchAgents), longAgent],
  signal: stopping.signal,
  onReady: () => {
    process.stdout.write('ready\n');
    parent.ready('');
  },
});
parent.leave();
