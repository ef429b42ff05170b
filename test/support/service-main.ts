/** A process with the HTTP service and the test agents; `service.ts` starts it. */
import { readConfig } from '../../src/config.ts';
import { runService } from '../../src/service/run-service.ts';
import { testAgents } from './test-agents.ts';

const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
// The test that started it is gone: so is the reason to go on.
const orphaned = (): never => process.exit(1);
process.on('disconnect', orphaned);

await runService(readConfig(), {
  agents: testAgents,
  host: '127.0.0.1',
  port: 0,
  open: process.env['TEST_OPEN'] === '1',
  signal: stopping.signal,
  onReady: ({ url }) => process.send?.(url),
});
process.off('disconnect', orphaned);
process.disconnect?.();
