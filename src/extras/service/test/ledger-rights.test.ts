import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openLedgerReader } from '../../../ledger/open-ledger.ts';
import { migrate } from '../../../ledger/postgres/migrate.ts';
import { grantsFor } from '../../../ledger/postgres/rights.ts';
import { openApiKeys } from '../api-keys/postgres-api-keys.ts';
import {
  createTestDatabase,
  createTestRole,
  queryOnce,
  type TestDatabase,
  type TestRole,
} from '../../../../test/support/database.ts';

describe('users of the ledger who are no workers', () => {
  let database: TestDatabase;
  const roles: TestRole[] = [];
  beforeAll(async () => {
    database = await createTestDatabase({ name: 'ledger_template', prepare: migrate });
  });
  afterAll(async () => {
    await (database as TestDatabase | undefined)?.drop();
    for (const role of roles) await role.drop();
  });
  const createUser = async (): Promise<TestRole> => {
    const role = await createTestRole(database);
    roles.push(role);
    return role;
  };
  const run = (statements: readonly string[]) => queryOnce(database.url, statements.join('\n'));

  test.each(['service', 'api-keys'] as const)(
    'each right of %s is missed where it is missing, and the statements in the message give it',
    async (user) => {
      const { name, url } = await createUser();
      const grants = grantsFor(user, name);
      await run(grants);
      await (await openApiKeys(url, user)).close();
      for (const grant of grants.filter((each) => !each.includes('EXECUTE'))) {
        await run([grant.replace('GRANT', 'REVOKE').replace(' TO ', ' FROM ')]);
        const error: unknown = await openApiKeys(url, user).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'ledger.invalid' });
        const statements = String(error).match(/GRANT .*?;/g) ?? [];
        expect(statements).toEqual(grants);
        await run(statements);
      }
      await (await openApiKeys(url, user)).close();
    },
  );

  test('a service reads runs and finds API keys, and writes nothing', async () => {
    const service = await createUser();
    const operator = await createUser();
    await run([...grantsFor('service', service.name), ...grantsFor('api-keys', operator.name)]);
    const keys = await openApiKeys(operator.url, 'api-keys');
    const found = await openApiKeys(service.url, 'service');
    const reader = await openLedgerReader(service.url);
    try {
      const { key, record } = await keys.create({ tenant: 'acme', scopes: ['read'], name: 'n' });
      expect(await found.authenticate(key)).toMatchObject({ tenant: 'acme' });
      expect(await reader.steps('none')).toEqual([]);
      expect(await reader.questions('none')).toEqual([]);
      expect(await reader.sharing?.(['none:t1.c0'])).toEqual([]);
      await expect(found.revoke(record.prefix)).rejects.toMatchObject({ code: 'ledger.invalid' });
      expect(await keys.revoke(record.prefix)).toBe(true);
    } finally {
      await Promise.all([keys.close(), found.close(), reader.close()]);
    }
  });
});
