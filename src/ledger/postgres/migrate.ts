import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AgentOnceError } from '../../contract/errors.ts';
import { missingRights, toLedgerError } from './database-error.ts';
import { Database } from './database.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl } from './parse-url.ts';

const SCHEMA = 'agent_once';
const TABLE = 'migrations';
const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));
const OLDEST_SERVER = 140_000;
/** Any number that no other program is likely to lock. */
const LOCK = 4_771_203_956_018;
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the ledger's schema up to date. Two queries when there is nothing to do, and then no right
 * to create anything is needed; processes that migrate at once wait for each other.
 *
 * @throws {AgentOnceError} `ledger.unreachable`; `ledger.invalid` when the schema is newer than this
 * program, rights are missing, or the server is older than PostgreSQL 14
 */
export async function migrate(url: string): Promise<void> {
  const database = new Database(url, { poolSize: 1 });
  try {
    await migrateIfNeeded(database, url);
  } finally {
    await database.close();
  }
}

/** As `migrate`, with connections that are there already. */
export async function migrateIfNeeded(database: Database, url: string): Promise<void> {
  const known = await knownMigrations();
  try {
    const { schemaExists, mayWrite, applied } = await inspect(database);
    const newer = applied.filter((name) => !known.includes(name));
    if (newer.length > 0) throw newerSchema(database.where, newer);
    if (applied.length < known.length) await run(url, schemaExists);
    else if (!mayWrite) throw missingRights(database.where);
  } catch (error) {
    throw toLedgerError(error, database.where);
  }
}

async function knownMigrations(): Promise<string[]> {
  const files = await readdir(FOLDER);
  return files.filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -'.sql'.length));
}

interface Found {
  schemaExists: boolean;
  mayWrite: boolean;
  applied: string[];
}

async function inspect(database: Database): Promise<Found> {
  const [found] = await database.query<{
    server: number;
    schema: boolean;
    migrations: boolean;
    may_write: boolean;
  }>(
    `SELECT current_setting('server_version_num')::int AS server,
            to_regnamespace($1) IS NOT NULL AS schema,
            to_regclass($2) IS NOT NULL AS migrations,
            coalesce(has_table_privilege(to_regclass($3), 'INSERT')
              AND has_table_privilege(to_regclass($3), 'UPDATE'), false) AS may_write`,
    [SCHEMA, `${SCHEMA}.${TABLE}`, `${SCHEMA}.steps`],
  );
  if (found === undefined || found.server < OLDEST_SERVER) {
    throw new AgentOnceError(
      'ledger.invalid',
      `The ledger at ${database.where} is older than PostgreSQL 14. Upgrade it, or set LEDGER_URL to a newer one.`,
    );
  }
  const rows = found.migrations
    ? await database.query<{ name: string }>(`SELECT name FROM ${SCHEMA}.${TABLE}`)
    : [];
  return {
    schemaExists: found.schema,
    mayWrite: found.may_write,
    applied: rows.map((row) => row.name),
  };
}

async function run(url: string, schemaExists: boolean): Promise<void> {
  // Imported only when needed: it brings a TypeScript loader with it.
  const { runner } = await import('node-pg-migrate');
  const client = new (ledgerClient(parsePostgresUrl(url)))({
    connectionTimeoutMillis: 5_000,
    application_name: 'agent-once migrate',
    lock_timeout: LOCK_TIMEOUT_MS,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await runner({
      dbClient: client,
      dir: FOLDER,
      ignorePattern: '(?!.*\\.sql$).*',
      direction: 'up',
      migrationsTable: TABLE,
      migrationsSchema: SCHEMA,
      // Even with IF NOT EXISTS it asks for the right to create one.
      createMigrationsSchema: !schemaExists,
      singleTransaction: true,
      lockValue: LOCK,
      advisoryLockMode: 'wait',
      // What goes wrong is thrown; its log would go to stdout.
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
  } finally {
    await client.end();
  }
}

function newerSchema(where: string, names: readonly string[]): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} was migrated by a newer version of this program (${names.join(', ')}). Nothing was changed. Deploy that version here too, or set LEDGER_URL to another database.`,
  );
}
