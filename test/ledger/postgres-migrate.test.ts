import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { inspect } from 'node:util';
import pg from 'pg';
import { migrate } from '../../src/ledger/postgres/migrate.ts';
import { createPostgresLedger } from '../../src/ledger/postgres/postgres-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { stepClaim } from './steps.ts';

const FOLDER = new URL('../../src/ledger/postgres/migrations/', import.meta.url);

describe('migrating the ledger', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  beforeEach(async () => {
    database = await createTestDatabase();
    admin = new pg.Client(database.url);
    await admin.connect();
  });
  afterEach(async () => {
    await admin.end();
    await database.drop();
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
    await migrate(database.url);
    const url = await createUser(
      `GRANT USAGE ON SCHEMA agent_once TO worker;
       GRANT SELECT ON ALL TABLES IN SCHEMA agent_once TO worker;
       GRANT INSERT, UPDATE ON agent_once.steps TO worker`,
    );
    const ledger = await createPostgresLedger(url);
    try {
      expect((await ledger.claim(stepClaim())).state).toBe('claimed');
    } finally {
      await ledger.close();
      await dropUser();
    }
  });

  test('needs no right on the database when the schema is there and its own', async () => {
    const url = await createUser('CREATE SCHEMA agent_once AUTHORIZATION worker');
    try {
      await migrate(url);
      expect(await applied()).not.toEqual([]);
    } finally {
      await dropUser();
    }
  });

  test.each([
    ['to create the schema', ''],
    ['to use the schema', 'CREATE SCHEMA agent_once'],
    ['to write steps', 'SELECT'],
  ])('without the right %s says which rights are needed', async (_, grant) => {
    if (grant === 'SELECT') await migrate(database.url);
    const url = await createUser(
      grant === 'SELECT'
        ? `GRANT USAGE ON SCHEMA agent_once TO worker;
           GRANT SELECT ON ALL TABLES IN SCHEMA agent_once TO worker`
        : grant,
    );
    try {
      const opened = createPostgresLedger(url);
      await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
      await expect(opened).rejects.toThrow(/lacks rights.*INSERT and UPDATE/);
    } finally {
      await dropUser();
    }
  });

  test('refuses a schema that is newer than this program', async () => {
    await migrate(database.url);
    await admin.query(
      `INSERT INTO agent_once.migrations (name, run_on) VALUES ('9999_future', now())`,
    );
    const opened = createPostgresLedger(database.url);
    await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
    await expect(opened).rejects.toThrow(/newer version of this program \(9999_future\)/);
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

  async function createUser(grants: string): Promise<string> {
    await admin.query(`CREATE ROLE worker LOGIN PASSWORD 'worker'; ${grants}`);
    const url = new URL(database.url);
    url.username = 'worker';
    url.password = 'worker';
    return url.href;
  }

  async function dropUser(): Promise<void> {
    await admin.query('DROP OWNED BY worker CASCADE; DROP ROLE worker');
  }
});
