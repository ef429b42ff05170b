import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { migrateLedger, openLedger } from '../../src/ledger/open-ledger.ts';
import { ROOT } from '../structure/checkout-copy.ts';
import {
  createTestDatabase,
  createTestRole,
  type TestDatabase,
  type TestRole,
} from '../support/database.ts';

const ENGINE = path.join(ROOT, 'src/ledger/postgres/migrations');
const names = readdirSync(ENGINE)
  .map((file) => file.replace('.sql', ''))
  .sort();

let database: TestDatabase;
let admin: pg.Client;
let app: string;
let role: TestRole | undefined;
beforeEach(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.url);
  await admin.connect();
  app = await mkdtemp(path.join(tmpdir(), 'agent-once-app-'));
  await add('0001_guests', 'CREATE TABLE app.guests (id serial PRIMARY KEY, name text)');
});
afterEach(async () => {
  await admin.end();
  await database.drop();
  await role?.drop();
  role = undefined;
  await rm(app, { recursive: true });
});

async function add(name: string, sql: string): Promise<void> {
  await mkdir(path.join(app, 'migrations'), { recursive: true });
  await writeFile(path.join(app, 'migrations', `${name}.sql`), sql);
}

/** As an earlier version of the program leaves a database, with all migrations but the last. */
async function migrateBefore(schema: string, dir: string): Promise<void> {
  await runner({
    databaseUrl: database.url,
    dir,
    ignorePattern: '(?!.*\\.sql$).*',
    direction: 'up',
    migrationsTable: 'migrations',
    migrationsSchema: schema,
    createMigrationsSchema: true,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
}

const recorded = async () => ({
  engine: (await admin.query('SELECT name FROM agent_once.migrations ORDER BY id')).rows.map(
    ({ name }) => name as string,
  ),
  app: (await admin.query('SELECT name FROM app.migrations ORDER BY id')).rows.map(
    ({ name }) => name as string,
  ),
});

test("the app's own migrations are made after the engine's, once, also by many at once", async () => {
  const all = await Promise.all(
    Array.from({ length: 4 }, () => migrateLedger(database.url, [], app)),
  );
  expect(all.map((migrated) => migrated?.applied)).toContainEqual([...names, 'app/0001_guests']);
  expect((await migrateLedger(database.url, [], app))?.applied).toEqual([]);
  expect(await recorded()).toEqual({ engine: names, app: ['0001_guests'] });
});

test("a new migration of the engine comes after the app's own, and the other way round", async () => {
  const older = path.join(app, 'older');
  await cp(ENGINE, older, { recursive: true });
  await rm(path.join(older, `${names.at(-1)}.sql`));
  await migrateBefore('agent_once', older);
  await migrateBefore('app', path.join(app, 'migrations'));
  expect((await migrateLedger(database.url, [], app))?.applied).toEqual(names.slice(-1));

  await add('0002_tables', 'CREATE TABLE app.tables (id int)');
  await (await openLedger(database.url, { app })).close();
  expect(await recorded()).toEqual({ engine: names, app: ['0001_guests', '0002_tables'] });
});

test('one that fails is told, and leaves none of them; then it is corrected', async () => {
  await add('0002_tables', 'CREATE TABLE app.guests (id int)');
  await expect(openLedger(database.url, { app })).rejects.toMatchObject({
    code: 'ledger.invalid',
    message: expect.stringMatching(
      /migrations failed .*"guests" already exists.*nothing was changed/,
    ),
  });
  expect((await admin.query("SELECT to_regclass('app.guests') AS found")).rows).toEqual([
    { found: null },
  ]);
  await add('0002_tables', 'CREATE TABLE app.tables (id int)');
  await (await openLedger(database.url, { app })).close();
});

test('a program that lacks one that was made works on, unless its name says that it cannot', async () => {
  for (const name of ['0002_tables', '0003_no_guests_needs_0002']) {
    await add(name, 'SELECT 1');
    await migrateLedger(database.url, [], app);
  }
  await rm(path.join(app, 'migrations/0003_no_guests_needs_0002.sql'));
  const ledger = await openLedger(database.url, { app });
  expect(ledger.remark).toMatch('(0003_no_guests_needs_0002)');
  await ledger.close();
  await rm(path.join(app, 'migrations/0002_tables.sql'));
  await expect(openLedger(database.url, { app })).rejects.toThrow(
    /this one cannot work with it \(0003_no_guests_needs_0002\)/,
  );
});

test("a worker's role is told which rights it lacks; --grant-to gives them", async () => {
  role = await createTestRole(database);
  await migrateLedger(database.url, [{ user: 'worker', role: role.name }]);
  await migrateLedger(database.url, [], app);
  const opened = openLedger(role.url, { app });
  await expect(opened).rejects.toMatchObject({ code: 'ledger.invalid' });
  await expect(opened).rejects.toThrow(/owner of the schema app .*GRANT USAGE ON SCHEMA app TO/);
  await migrateLedger(database.url, [{ user: 'worker', role: role.name }], app);
  await (await openLedger(role.url, { app })).close();
  const worker = new pg.Client(role.url);
  await worker.connect();
  await worker.query("INSERT INTO app.guests (name) VALUES ('ada')");
  await worker.end();
});
