import { expect, test } from '@jest/globals';
import { openLedgerReader } from '../../../../ledger/open-ledger.ts';
import { migrate } from '../../../../ledger/postgres/migrate.ts';
import { openApiKeys } from '../../api-keys/postgres-api-keys.ts';
import { createTestDatabase } from '../../../../../test/support/database.ts';
import { startPgBouncer } from '../../../../../test/support/pgbouncer.ts';

test.each(['transaction', 'session'])(
  'API keys and readers work through a PgBouncer with pool_mode = %s',
  async (mode) => {
    const database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
    const bouncer = await startPgBouncer({ pool_mode: mode });
    const url = bouncer.through(database.url);
    const [keys, other] = await Promise.all([openApiKeys(url), openApiKeys(url)]);
    const reader = await openLedgerReader(url);
    try {
      const { key } = await keys.create({ tenant: 'acme', scopes: ['read'], name: 'n' });
      expect(await other.authenticate(key)).toMatchObject({ tenant: 'acme' });
      expect(await other.list()).toHaveLength(1);
      expect(await reader.steps('no-such-scope')).toEqual([]);
    } finally {
      await Promise.all([keys.close(), other.close(), reader.close()]);
      await bouncer.stop();
      await database.drop();
    }
  },
);
