/** A worker process of the crash kit, with the scenario's agents. Many are killed. */
import { readConfig } from '../src/config.ts';
import { runWorker } from '../src/worker/run-worker.ts';
import { loadScenario } from './scenario.ts';
import { signRequests } from './sign-requests.ts';
import { weakenWorker } from './weakened-worker.ts';

const shopUrl = process.env['CHAOS_SHOP_URL'];
if (shopUrl !== undefined) signRequests(shopUrl);
const { agents } = await loadScenario(process.env['CHAOS_SCENARIO']);
const stopping = new AbortController();
process.on('SIGTERM', () => stopping.abort());
await runWorker(readConfig(), {
  agents,
  extend: [weakenWorker],
  signal: stopping.signal,
  onReady: () => void process.stdout.write('ready\n'),
});
