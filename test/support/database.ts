import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { postgresUrl } from './servers.ts';

/** A database of one suite. */
export interface TestDatabase {
  url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/** Brings a new database up to date: `migrate` of the ledger, tables of the example … */
export type Prepare = (url: string) => Promise<unknown>;

/**
 * Makes a database for one suite. With a `template` name and `prepare`, the first suite that asks
 * prepares a database of that name once for the whole run, and every suite gets a clone of it,
 * which takes a tenth of a second.
 */
export async function createTestDatabase(template?: {
  name: string;
  prepare: Prepare;
}): Promise<TestDatabase> {
  if (template !== undefined) await ensureTemplate(template.name, template.prepare);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await withAdmin((admin) =>
    admin.query(
      `CREATE DATABASE ${name}${template === undefined ? '' : ` TEMPLATE ${template.name}`}`,
    ),
  );
  return {
    url: urlOf(name),
    drop: () => withAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

async function ensureTemplate(name: string, prepare: Prepare): Promise<void> {
  await withAdmin(async (admin) => {
    // Suites run in several processes: one prepares, the others wait for it.
    await admin.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
    const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount !== 0) return;
    const partial = `${name}_partial`;
    await admin.query(`DROP DATABASE IF EXISTS ${partial} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${partial}`);
    await prepare(urlOf(partial));
    await admin.query(`ALTER DATABASE ${partial} RENAME TO ${name}`);
  });
}

async function withAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: urlOf('postgres') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(postgresUrl());
  url.pathname = `/${database}`;
  return url.href;
}

/** A user of one suite's database. */
export interface TestRole {
  name: string;
  /** Of the database, as this user. */
  url: string;
  /** Removes it; its database is gone by then. */
  drop(): Promise<void>;
}

/** Makes a user who has no right yet but to connect; roles are the whole server's. */
export async function createTestRole(database: TestDatabase): Promise<TestRole> {
  const name = `role_${randomUUID().replaceAll('-', '')}`;
  await queryOnce(database.url, `CREATE ROLE ${name} LOGIN PASSWORD 'secret'`);
  const url = new URL(database.url);
  url.username = name;
  url.password = 'secret';
  return {
    name,
    url: url.href,
    drop: () => withAdmin((admin) => admin.query(`DROP ROLE ${name}`)),
  };
}

/** One statement on a connection of its own; fails where the server does not answer. */
export async function queryOnce(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 20_000,
    query_timeout: 20_000,
  });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
