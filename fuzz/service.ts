/** The HTTP service with the agent of the fuzz; says its address in a line. */
import { chaosAgent } from '../chaos/agents.ts';
import { readConfig } from '../src/config.ts';
import { runService } from '../src/extras/service/run-service.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
await runService(readConfig(), {
  agents: [chaosAgent],
  host: '127.0.0.1',
  port: 0,
  open: true,
  signal: stopping.signal,
  onReady: ({ url }) => void process.stdout.write(`listening on ${url}\n`),
});
