import { fileURLToPath } from 'node:url';
import { shellWord } from '../../contract/command-line.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { listMigrations, migrationsOf, type Migrated } from '../list-migrations.ts';
import { missingRights, toLedgerError } from './database-error.ts';
import { Database } from './database.ts';
import { ledgerClient } from './ledger-client.ts';
import { parsePostgresUrl } from './parse-url.ts';
import { GRANT_OPTIONS, grantsFor, grantsOnApp, type GrantTo, type LedgerUser } from './rights.ts';
import { BEGIN, settingsOfTransaction } from './session-settings.ts';

const TABLE = 'migrations';

const OLDEST_SERVER = 140_000;
/** Any number that no other program is likely to lock. */
const LOCK = 4_771_203_956_018;

/** Migrations of one owner: their folder, and the schema that has the table of those made. */
interface MigrationSet {
  schema: string;
  folder: string;
  /** Of their names, where they are told. */
  prefix: string;
  /** The statements that give a role what it needs. */
  grants: (to: GrantTo) => string[];
  /** As whom it is used here. */
  user: LedgerUser;
}

export function engineSet(user: LedgerUser): MigrationSet {
  const folder = fileURLToPath(new URL('./migrations/', import.meta.url));
  return {
    schema: 'agent_once',
    folder,
    prefix: '',
    user,
    grants: (to) => grantsFor(to.user, to.role),
  };
}

/** One set, or none where the app has no migrations. */
export async function appSets(app: string | undefined): Promise<MigrationSet[]> {
  if (app === undefined || (await listMigrations(migrationsOf(app))).length === 0) return [];
  return [
    {
      schema: 'app',
      folder: migrationsOf(app),
      prefix: 'app/',
      user: 'worker',
      grants: ({ user, role }) => (user === 'worker' ? grantsOnApp(role) : []),
    },
  ];
}

/**
 * Brings the ledger's schema up to date, and then the app's own. Processes that migrate at once wait
 * for each other.
 *
 * @param grantTo roles that get the rights they need, on what is new as well
 * @param app the app's folder, for migrations of its own
 * @throws {AgentOnceError} `ledger.unreachable`; `ledger.invalid` when the schema is too new for
 * this program, rights are missing, a migration fails, or the server is older than PostgreSQL 14
 */
export async function migrate(
  url: string,
  grantTo: readonly GrantTo[] = [],
  app?: string,
): Promise<Migrated> {
  const database = new Database(url, { poolSize: 1 });
  try {
    const applied: string[] = [];
    for (const set of [engineSet('worker'), ...(await appSets(app))]) {
      const { pending } = await bringUpToDate(database, url, set);
      applied.push(...pending.map((name) => `${set.prefix}${name}`));
      for (const statement of grantTo.flatMap(set.grants)) await database.query(statement);
    }
    return { where: database.where, applied };
  } finally {
    await database.close();
  }
}

/** What was found before anything was migrated. */
interface FoundMigrations {
  pending: string[];
  /** Those of a newer version of this program, which older ones can live with. */
  newer: string[];
  /** The user of the database. */
  role: string;
}

export async function bringUpToDate(
  database: Database,
  url: string,
  set: MigrationSet,
): Promise<FoundMigrations> {
  const { where } = database;
  const found = await findPending(database, set);
  if (found.pending.length === 0) return found;
  let done: boolean;
  try {
    done = await makeMigrations(url, set);
  } catch (error) {
    const told = toLedgerError(error, where);
    if (told instanceof AgentOnceError) throw told;
    throw invalid(
      `A migration in ${set.folder} failed in the ledger's database at ${where}: ${(told as Error).message}. All of them are one transaction, and nothing was changed. Correct the migration.`,
      error,
    );
  }
  // Somebody who may has done it, while this waited for the lock.
  if (done || (await findPending(database, set)).pending.length === 0) return found;
  const owner = `postgres://OWNER:PASSWORD@${/\s/.test(where) ? 'HOST:PORT/DATABASE' : where}`;
  throw invalid(
    `The ledger at ${where} is not up to date, and its user ${found.role} may not migrate it: that needs CREATE on the database, or to own the schema ${set.schema} and its tables. Nothing was changed. Run this once, with a user that may: LEDGER_MIGRATE_URL=${owner} agent-once ledger migrate ${GRANT_OPTIONS[set.user]} ${shellWord(found.role)}`,
  );
}

/** Without the right to use the schema, its tables cannot even be looked for. */
const FOUND = `
SELECT current_setting('server_version_num')::int AS server, current_user AS role,
  n.oid IS NOT NULL AS schema,
  coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS usable,
  CASE WHEN has_schema_privilege(n.oid, 'USAGE')
    THEN has_table_privilege(to_regclass($2), 'SELECT') END AS readable
FROM (SELECT to_regnamespace($1)) AS s (oid)
LEFT JOIN pg_namespace AS n ON n.oid = s.oid`;

interface Found {
  server: number;
  role: string;
  schema: boolean;
  usable: boolean;
  /** Of the table of migrations; `null`: there is none. */
  readable: boolean | null;
}

async function findPending(
  database: Database,
  { schema, folder, grants, user }: MigrationSet,
): Promise<FoundMigrations> {
  const { where } = database;
  const known = await listMigrations(folder);
  const table = `${schema}.${TABLE}`;
  const [found] = await database.query<Found>(FOUND, [schema, table]);
  if (found === undefined || found.server < OLDEST_SERVER) {
    throw invalid(
      `The ledger at ${where} is older than PostgreSQL 14. Upgrade it, or set LEDGER_URL to a newer one.`,
    );
  }
  const { role, usable, readable } = found;
  if (found.schema && (!usable || readable === false)) {
    throw missingRights(where, grants({ user, role }), { schema, user });
  }
  if (!readable) return { pending: known, newer: [], role };
  const rows = await database.query<{ name: string }>(`SELECT name FROM ${table}`);
  const applied = rows.map(({ name }) => name);
  const newer = applied.filter((name) => !known.includes(name));
  const unbearable = newer.filter((name) => !isKnown(neededBy(name), known));
  if (unbearable.length > 0) {
    throw invalid(
      `The ledger at ${where} was migrated by a newer version of this program, and this one cannot work with it (${unbearable.join(', ')}). Nothing was changed. Deploy that version here too, or set LEDGER_URL to another database.`,
    );
  }
  return { pending: known.filter((name) => !applied.includes(name)), newer, role };
}

/**
 * The number of the migration that whoever works beside this one must know, which its name says:
 * `0099_drop_old_column_needs_0098`. One that only adds says none.
 */
function neededBy(name: string): string | undefined {
  return /_needs_(\d+)$/.exec(name)?.[1];
}

function isKnown(number: string | undefined, known: readonly string[]): boolean {
  return number === undefined || known.some((name) => name.startsWith(`${number}_`));
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

/**
 * One transaction, with the lock in it: a pooler may give the next one to another session, and a
 * lock of a session would stay there.
 *
 * @returns `false`: this user may not
 */
async function makeMigrations(url: string, { schema, folder }: MigrationSet): Promise<boolean> {
  // Imported only when needed: it brings a TypeScript loader with it.
  const { runner } = await import('node-pg-migrate');
  const client = new (ledgerClient(parsePostgresUrl(url)))({
    connectionTimeoutMillis: 5_000,
    application_name: 'agent-once migrate',
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const patience = {
      lock_timeout: '60000',
      statement_timeout: '0',
      idle_in_transaction_session_timeout: '60000',
    };
    await client.query(
      `${BEGIN}; ${settingsOfTransaction(patience)}; SELECT pg_advisory_xact_lock(${LOCK})`,
    );
    type Rights = { schema: boolean; allowed: boolean };
    const [found] = (await client.query<Rights>(MAY_MIGRATE, [schema])).rows;
    if (found?.allowed !== true) return false;
    // Its own BEGIN changes nothing in the transaction; its COMMIT ends it.
    await runner({
      dbClient: client,
      dir: folder,
      ignorePattern: '(?!.*\\.sql$).*',
      direction: 'up',
      migrationsTable: TABLE,
      migrationsSchema: schema,
      // Even with IF NOT EXISTS it asks for the right to create one.
      createMigrationsSchema: !found.schema,
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

function invalid(message: string, cause?: unknown): AgentOnceError {
  return new AgentOnceError('ledger.invalid', message, cause === undefined ? undefined : { cause });
}
