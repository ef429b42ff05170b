import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { shellWord } from '../../contract/command-line.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { missingRights, toLedgerError } from './database-error.ts';
import type { Migrated } from '../open-ledger.ts';
import { Database, type PostgresLedgerOptions } from './database.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl } from './parse-url.ts';
import { grantsFor, rightsOf, type LedgerUser } from './rights.ts';
import { BEGIN, settingsOfTransaction } from './session-settings.ts';

const SCHEMA = 'agent_once';
const TABLE = 'migrations';
const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));
const OLDEST_SERVER = 140_000;
/** Any number that no other program is likely to lock. */
const LOCK = 4_771_203_956_018;
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the ledger's schema up to date. Processes that migrate at once wait for each other.
 *
 * @param grantTo roles that get the rights of workers, on what is new as well
 * @throws {AgentOnceError} `ledger.unreachable`; `ledger.invalid` when the schema is newer than this
 * program, rights are missing, or the server is older than PostgreSQL 14
 */
export async function migrate(url: string, grantTo: readonly string[] = []): Promise<Migrated> {
  const database = new Database(url, { poolSize: 1 });
  try {
    const { pending, role } = await findPending(database);
    if (pending.length > 0) await makeMigrations(database, url, role);
    for (const role of grantTo) {
      for (const statement of grantsFor('worker', role)) await database.query(statement);
    }
    return { where: database.where, applied: pending };
  } finally {
    await database.close();
  }
}

/**
 * Opens the database and brings its schema up to date for one who uses it then. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`, and as `migrateIfNeeded`
 */
export async function openMigrated(
  url: string,
  user: LedgerUser,
  options?: PostgresLedgerOptions,
): Promise<Database> {
  const database = new Database(url, options);
  try {
    await migrateIfNeeded(database, url, user);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Two queries when there is nothing to do, and then no right to create anything is needed.
 *
 * @throws {AgentOnceError} as `migrate`, and `ledger.invalid` when a right is missing that this user
 *   of the ledger will need, or when a pooler between gives no transactions
 */
export async function migrateIfNeeded(
  database: Database,
  url: string,
  user: LedgerUser,
): Promise<void> {
  const { pending, role } = await findPending(database, user);
  if (database.pooled) await database.assertTransactions();
  if (pending.length > 0) await makeMigrations(database, url, role);
  const { tables, rights } = rightsOf(user);
  const missing = await database.query(MISSING_RIGHTS, [tables, rights]);
  if (missing.length > 0) throw missingRights(database.where, grantsFor(user, role));
}

/** Without the right to use the schema, its tables cannot even be looked for. */
const FOUND = `
SELECT current_setting('server_version_num')::int AS server, current_user AS role,
  n.oid IS NOT NULL AS schema,
  coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usable
FROM (SELECT to_regnamespace($1)) AS s (oid)
LEFT JOIN pg_namespace AS n ON n.oid = s.oid`;

const MISSING_RIGHTS = `
SELECT r.name FROM unnest($1::text[], $2::text[]) AS r (name, wanted)
WHERE NOT coalesce(has_table_privilege(to_regclass(r.name), r.wanted), false)
UNION ALL
SELECT p.proname FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace('${SCHEMA}') AND NOT has_function_privilege(p.oid, 'EXECUTE')`;

async function findPending(
  database: Database,
  user: LedgerUser = 'worker',
): Promise<{ pending: string[]; role: string }> {
  const known = await knownMigrations();
  const [found] = await database.query<{
    server: number;
    role: string;
    schema: boolean;
    usable: boolean;
  }>(FOUND, [SCHEMA]);
  if (found === undefined || found.server < OLDEST_SERVER) {
    throw new AgentOnceError(
      'ledger.invalid',
      `The ledger at ${database.where} is older than PostgreSQL 14. Upgrade it, or set LEDGER_URL to a newer one.`,
    );
  }
  if (!found.schema) return { pending: known, role: found.role };
  const grants = grantsFor(user, found.role);
  if (!found.usable) throw missingRights(database.where, grants);
  const applied = await appliedMigrations(database, grants);
  const newer = applied.filter((name) => !known.includes(name));
  if (newer.length > 0) throw newerSchema(database.where, newer);
  return { pending: known.filter((name) => !applied.includes(name)), role: found.role };
}

async function appliedMigrations(database: Database, grants: readonly string[]): Promise<string[]> {
  const [there] = await database.query<{ may_read: boolean | null }>(
    `SELECT has_table_privilege(to_regclass($1), 'SELECT') AS may_read`,
    [`${SCHEMA}.${TABLE}`],
  );
  if (there === undefined || there.may_read === null) return [];
  if (!there.may_read) throw missingRights(database.where, grants);
  const rows = await database.query<{ name: string }>(`SELECT name FROM ${SCHEMA}.${TABLE}`);
  return rows.map(({ name }) => name);
}

async function knownMigrations(): Promise<string[]> {
  const files = await readdir(FOLDER);
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}

/**
 * One transaction, with the lock in it: a pooler may give the next one to another session, and a
 * lock of a session would stay there.
 */
async function makeMigrations(database: Database, url: string, role: string): Promise<void> {
  try {
    await database.assertTransactions();
    if (await run(url)) return;
  } catch (error) {
    throw toLedgerError(error, database.where);
  }
  // Somebody who may has done it, while this waited for the lock.
  if ((await findPending(database)).pending.length === 0) return;
  throw mayNotMigrate(database.where, role);
}

/** Asked before: `node-pg-migrate` hides what the database answers. */
const MAY_MIGRATE = `
SELECT n.oid IS NOT NULL AS schema,
  CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
      AND NOT EXISTS (
        SELECT FROM pg_class AS c
        WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND NOT pg_has_role(c.relowner, 'USAGE')
      )
  END AS allowed
FROM (SELECT to_regnamespace($1)) AS s (oid)
LEFT JOIN pg_namespace AS n ON n.oid = s.oid`;

/** `false`: this user may not. */
async function run(url: string): Promise<boolean> {
  // Imported only when needed: it brings a TypeScript loader with it.
  const { runner } = await import('node-pg-migrate');
  const client = new (ledgerClient(parsePostgresUrl(url)))({
    connectionTimeoutMillis: 5_000,
    application_name: 'agent-once migrate',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const lockTimeout = { lock_timeout: String(LOCK_TIMEOUT_MS), statement_timeout: '0' };
    await client.query(
      `${BEGIN}; SET LOCAL idle_in_transaction_session_timeout = 60000;
       ${settingsOfTransaction(lockTimeout)}; SELECT pg_advisory_xact_lock(${LOCK})`,
    );
    const { rows } = await client.query<{ schema: boolean; allowed: boolean }>(MAY_MIGRATE, [
      SCHEMA,
    ]);
    if (rows[0]?.allowed !== true) return false;
    // Its own BEGIN changes nothing in the transaction; its COMMIT ends it.
    await runner({
      dbClient: client,
      dir: FOLDER,
      ignorePattern: '(?!.*\\.sql$).*',
      direction: 'up',
      migrationsTable: TABLE,
      migrationsSchema: SCHEMA,
      // Even with IF NOT EXISTS it asks for the right to create one.
      createMigrationsSchema: rows[0]?.schema !== true,
      singleTransaction: true,
      noLock: true,
      // What goes wrong is thrown; its log would go to stdout.
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    // Where others made them all meanwhile, it sends none.
    await client.query('COMMIT');
    return true;
  } finally {
    await client.end();
  }
}

function mayNotMigrate(where: string, role: string): AgentOnceError {
  const owner = `postgres://OWNER:PASSWORD@${/\s/.test(where) ? 'HOST:PORT/DATABASE' : where}`;
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} is not up to date, and its user ${role} may not migrate it: that needs CREATE on the database, or to own the schema agent_once and its tables. Nothing was changed. Run this once, with a user that may: LEDGER_MIGRATE_URL=${owner} agent-once ledger migrate --grant-to ${shellWord(role)}`,
  );
}

function newerSchema(where: string, names: readonly string[]): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} was migrated by a newer version of this program (${names.join(', ')}). Nothing was changed. Deploy that version here too, or set LEDGER_URL to another database.`,
  );
}
