import type { Extra } from '../../cli/app.ts';
import type { LedgerBackend } from '../../ledger/open-ledger.ts';

const redis: LedgerBackend = {
  example: 'a Redis URL (redis://user:password@host:port/number)',
  async open(url, { tools = [] }) {
    const [{ assertServes }, { createRedisLedger }] = await Promise.all([
      import('./promised-tools.ts'),
      import('./redis-ledger.ts'),
    ]);
    return createRedisLedger(url, assertServes(tools));
  },
  async openReader(url) {
    return (await import('./read-ledger.ts')).openRedisLedgerReader(url);
  },
  async openKeeper(url) {
    return (await import('./identity.ts')).openRedisLedgerKeeper(url);
  },
};

/** Redis as the ledger. */
export const ledgerRedis: Extra = { name: 'ledger-redis', ledgers: { redis, rediss: redis } };
