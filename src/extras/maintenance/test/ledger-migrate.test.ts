import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openMigrated } from '../../../ledger/postgres/open-migrated.ts';
import { createPostgresLedger } from '../../../ledger/postgres/postgres-ledger.ts';
import { runCommand } from '../../../../test/support/cli.ts';
import {
  createTestDatabase,
  createTestRole,
  type TestDatabase,
  type TestRole,
} from '../../../../test/support/database.ts';

describe('agent-once ledger migrate', () => {
  let database: TestDatabase;
  let worker: TestRole;
  /** Dropped after the database, in which they have rights. */
  const others: TestRole[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    worker = await createTestRole(database);
  });
  afterAll(async () => {
    await database.drop();
    for (const role of [worker, ...others]) await role.drop();
  });

  test('makes the tables as another user than the workers, who can work then', async () => {
    const env = { LEDGER_URL: worker.url, LEDGER_MIGRATE_URL: database.url };
    const alone = await runCommand(['ledger', 'migrate', '--json'], { LEDGER_URL: worker.url });
    expect(alone.code).toBe(6);
    expect(JSON.parse(alone.stdout).error).toMatchObject({ code: 'ledger.invalid' });
    expect(alone.stderr).toMatch(/LEDGER_MIGRATE_URL=\S+ agent-once ledger migrate --grant-to/);

    const args = ['ledger', 'migrate', '--grant-to', worker.name];
    const made = await runCommand([...args, '--json'], env);
    expect(made.code).toBe(0);
    const { migrations, grantedTo } = JSON.parse(made.stdout);
    expect(migrations).toEqual(expect.arrayContaining(['0001_steps', '0008_rounds']));
    expect(grantedTo).toEqual([worker.name]);
    await (await createPostgresLedger(worker.url)).close();

    const again = await runCommand(args, env);
    expect({ ...again, stderr: again.stderr.split('\n')[0] }).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^The ledger at \S+ is up to date\.$/),
    });
    expect(again.stderr).not.toContain('secret');
  });

  test.each([
    ['--grant-service-to', 'service'],
    ['--grant-api-keys-to', 'api-keys'],
    ['--grant-keeper-to', 'keeper'],
  ] as const)(
    '%s gives what that user of the ledger needs, and is what it is advised',
    async (option, user) => {
      const role = await createTestRole(database);
      others.push(role);
      await expect(openMigrated(role.url, user)).rejects.toThrow(
        `agent-once ledger migrate ${option} NAME`,
      );
      const granted = await runCommand(['ledger', 'migrate', option, role.name], {
        LEDGER_URL: database.url,
      });
      expect(granted.code).toBe(0);
      expect(granted.stderr).toContain(`${role.name} has the rights of `);
      await (await openMigrated(role.url, user)).database.close();
    },
  );

  test("makes the app's own tables too", async () => {
    const own = await createTestDatabase();
    const args = ['ledger', 'migrate', '--json'];
    const made = await runCommand(args, { LEDGER_URL: own.url, TEST_OWN_APP: '1' });
    expect(JSON.parse(made.stdout).migrations.at(-1)).toBe('app/0001_guests');
    await own.drop();
  });

  test('has nothing to do for a ledger in Redis, and asks none', async () => {
    const env = { LEDGER_URL: 'redis://127.0.0.1:1/0' };
    const { code, stderr } = await runCommand(['ledger', 'migrate'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Redis') });
  });
});
