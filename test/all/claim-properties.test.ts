import { describe } from '@jest/globals';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { migrate } from '../../src/ledger/postgres/migrate.ts';
import { describeClaimProperties } from '../ledger/properties/describe-properties.ts';
import { createTestDatabase } from '../support/database.ts';
import { startRedis } from '../support/redis-server.ts';

const RUNS = 300;

describe('many scenarios', () => {
  describeClaimProperties(
    'Redis',
    async () => {
      // What it would forget in a power cut is not what this is about.
      const server = await startRedis({ appendonly: 'no' });
      return { open: () => openLedger(server.url), drop: () => server.stop() };
    },
    RUNS,
  );
  describeClaimProperties(
    'PostgreSQL',
    async () => {
      const database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
      return { open: () => openLedger(database.url), drop: () => database.drop() };
    },
    RUNS,
  );
});
