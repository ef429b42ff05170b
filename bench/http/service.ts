/** Our HTTP service with the benchmark's agent, in a process of its own, with default settings. */
import { readConfig } from '../../src/config.ts';
import { runService } from '../../src/extras/service/run-service.ts';
import { benchAgents } from '../ours/agent.ts';
import { answerParent } from '../answer-parent.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
const parent = answerParent();
await runService(readConfig(), {
  agents: [benchAgents.standard],
  host: '127.0.0.1',
  port: 0,
  open: false,
  signal: stopping.signal,
  onReady: ({ url }) => parent.ready(url),
});
parent.leave();
