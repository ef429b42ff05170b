import { temporalAddress } from './servers.ts';
import type { TestSystem } from './system.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A worker's ways to its ledger and to Temporal, and the environment of one that takes them. */
export interface Ways {
  ledger: TcpProxy;
  temporal: TcpProxy;
  env: Record<string, string>;
  stop(): Promise<void>;
}

export async function startWays({ env }: TestSystem): Promise<Ways> {
  const url = new URL(env['LEDGER_URL'] ?? '');
  const [ledger, temporal] = await Promise.all([
    startTcpProxy(url.host),
    startTcpProxy(temporalAddress()),
  ]);
  url.host = ledger.address;
  return {
    ledger,
    temporal,
    env: { LEDGER_URL: url.href, TEMPORAL_ADDRESS: temporal.address },
    async stop() {
      await Promise.all([ledger.stop(), temporal.stop()]);
    },
  };
}
