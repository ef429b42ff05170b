import { migrate } from '../../src/ledger/postgres/migrate.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { createTestDatabase } from '../support/database.ts';
import { describeClaimProperties } from './properties/describe-properties.ts';

describeClaimProperties(
  'PostgreSQL',
  async () => {
    const database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
    return { open: () => createPostgresLedger(database.url), drop: () => database.drop() };
  },
  60,
);
