import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { inspect } from 'node:util';
import pg from 'pg';
import { migrate } from '../../src/ledger/postgres/migrate.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { grantsFor } from '../../src/ledger/postgres/rights.ts';
import {
  createTestDatabase,
  createTestRole,
  type TestDatabase,
  type TestRole,
} from '../support/database.ts';
import { stepClaim } from './steps.ts';

const FOLDER = new URL('../../src/ledger/postgres/migrations/', import.meta.url);

describe('migrating the ledger', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let roles: TestRole[];
  beforeEach(async () => {
    database = await createTestDatabase();
    roles = [];
    admin = new pg.Client(database.url);
    await admin.connect();
  });
  afterEach(async () => {
    await admin.end();
    await database.drop();
    for (const role of roles) await role.drop();
  });

  const applied = async () =>
    (await admin.query('SELECT name FROM agent_once.migrations ORDER BY id')).rows.map(
      ({ name }) => `${name}.sql`,
    );

  test('applies each migration once, also when many start at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => migrate(database.url)));
    await migrate(database.url);
    expect(await applied()).toEqual((await readdir(FOLDER)).sort());
  });

  test('needs no right to create anything when there is nothing to do', async () => {
    const worker = await createUser();
    await migrate(database.url, [{ user: 'worker', role: worker.name }]);
    const ledger = await createPostgresLedger(worker.url);
    try {
      expect((await ledger.claim(stepClaim())).state).toBe('claimed');
    } finally {
      await ledger.close();
    }
  });

  test('needs no right on the database when the schema is there and its own', async () => {
    const owner = await createUser();
    await admin.query(`CREATE SCHEMA agent_once AUTHORIZATION ${owner.name}`);
    await migrate(owner.url);
    expect(await applied()).not.toEqual([]);
  });

  test.each(['no schema', 'an older schema'])(
    'with %s and a user who may not migrate, names the command to run; then it works',
    async (found) => {
      const worker = await createUser();
      if (found === 'an older schema') {
        await migrate(database.url, [{ user: 'worker', role: worker.name }]);
        // As it was before the last one.
        await admin.query(`DELETE FROM agent_once.migrations WHERE name = '0008_rounds'`);
      }
      const where = new URL(database.url);
      const command = `LEDGER_MIGRATE_URL=postgres://OWNER:PASSWORD@${where.host}${where.pathname} agent-once ledger migrate --grant-to ${worker.name}`;
      await expect(createPostgresLedger(worker.url)).rejects.toMatchObject({
        code: 'ledger.invalid',
        message: expect.stringMatching(`Nothing was changed.*: ${command}$`),
      });
      await admin.query('DROP SCHEMA IF EXISTS agent_once CASCADE');
      await migrate(database.url, [{ user: 'worker', role: worker.name }]);
      await (await createPostgresLedger(worker.url)).close();
    },
  );

  test('of a schema that its owner migrates leaves nothing to do for another', async () => {
    const owner = await createUser();
    await admin.query(`CREATE SCHEMA agent_once AUTHORIZATION ${owner.name}`);
    expect((await migrate(owner.url)).applied).toEqual(
      (await applied()).map((file) => file.replace('.sql', '')),
    );
    expect((await migrate(database.url)).applied).toEqual([]);
  });

  test('the statements in the message are all that a worker lacks', async () => {
    const { url } = await createUser();
    await migrate(database.url);
    const error: unknown = await createPostgresLedger(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ledger.invalid' });
    const statements = String(error).match(/GRANT .*?;/g) ?? [];
    await admin.query(statements.join('\n'));
    await (await createPostgresLedger(url)).close();
  });

  test('each right of a worker is missed where it is missing', async () => {
    const { name, url } = await createUser();
    await migrate(database.url, [{ user: 'worker', role: name }]);
    await admin.query('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA agent_once FROM PUBLIC');
    await (await createPostgresLedger(url)).close();
    const grants = grantsFor('worker', name);
    expect(grants.length).toBeGreaterThan(3);
    for (const grant of grants) {
      await admin.query(grant.replace('GRANT', 'REVOKE').replace(' TO ', ' FROM '));
      const opened = createPostgresLedger(url);
      await expect(opened).rejects.toThrow(/lacks rights.*Nothing was changed.*GRANT/);
      await admin.query(grant);
    }
  });

  test('rights taken away while it works are told with the statements that give them', async () => {
    const { name, url } = await createUser();
    await migrate(database.url, [{ user: 'worker', role: name }]);
    const ledger = await createPostgresLedger(url);
    try {
      await admin.query(`REVOKE INSERT ON agent_once.steps FROM ${name}`);
      const claim = ledger.claim(stepClaim());
      await expect(claim).rejects.toMatchObject({ code: 'ledger.invalid' });
      await expect(claim).rejects.toThrow(
        /GRANT SELECT, INSERT, UPDATE, DELETE ON agent_once.steps/,
      );
    } finally {
      await ledger.close();
    }
  });

  const migratedByANewerVersion = async (name: string, statement = 'SELECT 1') => {
    await migrate(database.url);
    await admin.query(statement);
    await admin.query('INSERT INTO agent_once.migrations (name, run_on) VALUES ($1, now())', [
      name,
    ]);
  };

  test.each(['9999_future', '9999_future_needs_0001'])(
    'works with a newer schema whose migration %s it can live with, and says so',
    async (name) => {
      await migratedByANewerVersion(name, 'ALTER TABLE agent_once.steps ADD COLUMN future text');
      const ledger = await createPostgresLedger(database.url);
      try {
        expect(ledger.remark).toMatch(`newer version of this program (${name}). This one works`);
        expect((await ledger.claim(stepClaim())).state).toBe('claimed');
      } finally {
        await ledger.close();
      }
      expect((await migrate(database.url)).applied).toEqual([]);
    },
  );

  test('refuses a newer schema that needs a migration it does not know, and says so', async () => {
    await migratedByANewerVersion('9999_future_needs_9998');
    const opened = createPostgresLedger(database.url);
    await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
    await expect(opened).rejects.toThrow(
      /newer version of this program, and this one cannot work with it \(9999_future_needs_9998\).*Deploy/,
    );
  });

  test('of a database that does not exist, or with a wrong password, says so', async () => {
    const missing = new URL(database.url);
    missing.pathname = '/no_such_database';
    await expect(migrate(missing.href)).rejects.toMatchObject({ code: 'ledger.invalid' });
    const wrong = new URL(database.url);
    wrong.password = 'not-the-password';
    const error: unknown = await migrate(wrong.href).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ledger.invalid' });
    expect(inspect(error)).not.toContain('not-the-password');
  });

  test.each(['not a url', 'mysql://u:secret@h/d', 'postgres://u:secret@h:port/d'])(
    'refuses %s as an address, without repeating it',
    async (url) => {
      const opened = createPostgresLedger(url);
      await expect(opened).rejects.toMatchObject({ code: 'config.invalid' });
      const error: unknown = await opened.catch((reason: unknown) => reason);
      expect(inspect(error, { showHidden: true })).not.toContain('secret');
    },
  );

  async function createUser(): Promise<TestRole> {
    const role = await createTestRole(database);
    roles.push(role);
    return role;
  }
});
