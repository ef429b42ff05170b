import { shellWord } from '../../contract/command-line.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { listMigrations, type Migrated } from '../list-migrations.ts';
import { missingRights, toLedgerError } from './database-error.ts';
import { Database } from './database.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl } from './parse-url.ts';
import { appSets, engineSet, type MigrationSet } from './migration-sets.ts';
import { grantsFor, rightsOf, type LedgerUser } from './rights.ts';
import { BEGIN, settingsOfTransaction } from './session-settings.ts';

const TABLE = 'migrations';

const OLDEST_SERVER = 140_000;
/** Any number that no other program is likely to lock. */
const LOCK = 4_771_203_956_018;
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the ledger's schema up to date, and then the app's own. Processes that migrate at once wait
 * for each other.
 *
 * @param grantTo roles that get the rights of workers, on what is new as well
 * @param app the app's folder, for migrations of its own
 * @throws {AgentOnceError} `ledger.unreachable`; `ledger.invalid` when the schema is newer than this
 * program, rights are missing, a migration fails, or the server is older than PostgreSQL 14
 */
export async function migrate(
  url: string,
  grantTo: readonly string[] = [],
  app?: string,
): Promise<Migrated> {
  const database = new Database(url, { poolSize: 1 });
  try {
    const applied: string[] = [];
    for (const set of [engineSet('worker'), ...(await appSets(app))]) {
      const { made } = await bringUpToDate(database, url, set);
      applied.push(...made.map((name) => `${set.prefix}${name}`));
      for (const role of grantTo) {
        for (const statement of set.grants(role)) await database.query(statement);
      }
    }
    return { where: database.where, applied };
  } finally {
    await database.close();
  }
}

/**
 * Two queries when there is nothing to do, and then no right to create anything is needed.
 *
 * @param app the app's folder, for a worker
 * @throws {AgentOnceError} as `migrate`, and `ledger.invalid` when a right is missing that this user
 *   of the ledger will need, or when a pooler between gives no transactions
 */
export async function migrateIfNeeded(
  database: Database,
  url: string,
  user: LedgerUser,
  app?: string,
): Promise<void> {
  const { role } = await bringUpToDate(database, url, engineSet(user));
  if (database.pooled) await database.assertTransactions();
  const { tables, rights } = rightsOf(user);
  const missing = await database.query(MISSING_RIGHTS, [tables, rights]);
  if (missing.length > 0) throw missingRights(database.where, grantsFor(user, role));
  for (const set of await appSets(app)) await bringUpToDate(database, url, set);
}

async function bringUpToDate(
  database: Database,
  url: string,
  set: MigrationSet,
): Promise<{ made: string[]; role: string }> {
  const { pending, role } = await findPending(database, set);
  if (pending.length > 0) await makeMigrations(database, url, set, role);
  return { made: pending, role };
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
WHERE p.pronamespace = to_regnamespace('agent_once') AND NOT has_function_privilege(p.oid, 'EXECUTE')`;

async function findPending(
  database: Database,
  set: MigrationSet,
): Promise<{ pending: string[]; role: string }> {
  const known = await listMigrations(set.folder);
  const [found] = await database.query<{
    server: number;
    role: string;
    schema: boolean;
    usable: boolean;
  }>(FOUND, [set.schema]);
  if (found === undefined || found.server < OLDEST_SERVER) {
    throw new AgentOnceError(
      'ledger.invalid',
      `The ledger at ${database.where} is older than PostgreSQL 14. Upgrade it, or set LEDGER_URL to a newer one.`,
    );
  }
  const { role } = found;
  if (!found.schema) return { pending: known, role };
  const lacking = () => missingRights(database.where, set.grants(role), undefined, set.schema);
  if (!found.usable) throw lacking();
  const applied = await appliedMigrations(database, set, lacking);
  const newer = applied.filter((name) => !known.includes(name));
  if (newer.length > 0) throw newerSchema(database.where, newer);
  return { pending: known.filter((name) => !applied.includes(name)), role };
}

async function appliedMigrations(
  database: Database,
  { schema }: MigrationSet,
  lacking: () => AgentOnceError,
): Promise<string[]> {
  const [there] = await database.query<{ may_read: boolean | null }>(
    `SELECT has_table_privilege(to_regclass($1), 'SELECT') AS may_read`,
    [`${schema}.${TABLE}`],
  );
  if (there === undefined || there.may_read === null) return [];
  if (!there.may_read) throw lacking();
  const rows = await database.query<{ name: string }>(`SELECT name FROM ${schema}.${TABLE}`);
  return rows.map(({ name }) => name);
}

/**
 * One transaction, with the lock in it: a pooler may give the next one to another session, and a
 * lock of a session would stay there.
 */
async function makeMigrations(
  database: Database,
  url: string,
  set: MigrationSet,
  role: string,
): Promise<void> {
  try {
    await database.assertTransactions();
    if (await run(url, set)) return;
  } catch (error) {
    const told = toLedgerError(error, database.where);
    throw told instanceof AgentOnceError ? told : failedMigration(database.where, set, told);
  }
  // Somebody who may has done it, while this waited for the lock.
  if ((await findPending(database, set)).pending.length === 0) return;
  throw mayNotMigrate(database.where, set, role);
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
async function run(url: string, { schema, folder }: MigrationSet): Promise<boolean> {
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
      schema,
    ]);
    if (rows[0]?.allowed !== true) return false;
    // Its own BEGIN changes nothing in the transaction; its COMMIT ends it.
    await runner({
      dbClient: client,
      dir: folder,
      ignorePattern: '(?!.*\\.sql$).*',
      direction: 'up',
      migrationsTable: TABLE,
      migrationsSchema: schema,
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

function failedMigration(where: string, { folder }: MigrationSet, error: unknown): AgentOnceError {
  const { message } = error as Error;
  return new AgentOnceError(
    'ledger.invalid',
    `A migration in ${folder} failed in the ledger's database at ${where}: ${message}. All of them are one transaction, and nothing was changed. Correct the migration.`,
    { cause: error },
  );
}

function mayNotMigrate(where: string, { schema }: MigrationSet, role: string): AgentOnceError {
  const owner = `postgres://OWNER:PASSWORD@${/\s/.test(where) ? 'HOST:PORT/DATABASE' : where}`;
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} is not up to date, and its user ${role} may not migrate it: that needs CREATE on the database, or to own the schema ${schema} and its tables. Nothing was changed. Run this once, with a user that may: LEDGER_MIGRATE_URL=${owner} agent-once ledger migrate --grant-to ${shellWord(role)}`,
  );
}

function newerSchema(where: string, names: readonly string[]): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} was migrated by a newer version of this program (${names.join(', ')}). Nothing was changed. Deploy that version here too, or set LEDGER_URL to another database.`,
  );
}
