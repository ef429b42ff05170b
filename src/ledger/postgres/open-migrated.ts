import { missingRights } from './database-error.ts';
import { Database, type PostgresLedgerOptions } from './database.ts';
import { appSets, bringUpToDate, engineSet } from './migrate.ts';
import { grantsFor, rightsOf, type LedgerUser } from './rights.ts';

const MISSING_RIGHTS = `
SELECT r.name FROM unnest($1::text[], $2::text[]) AS r (name, wanted)
WHERE NOT coalesce(has_table_privilege(to_regclass(r.name), r.wanted), false)
UNION ALL
SELECT p.proname FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace('agent_once') AND NOT has_function_privilege(p.oid, 'EXECUTE')`;

/**
 * Opens the database and brings its schema up to date for one who uses it then: two queries when
 * there is nothing to do, and no right to create anything is needed. Close it when done.
 *
 * @param options.app the app's folder, for a worker
 * @returns also the migrations of a newer version of this program
 * @throws {AgentOnceError} `config.invalid`; as `migrate`; and `ledger.invalid` when a right is missing
 *   that this user of the ledger will need, or when a pooler between gives no transactions
 */
export async function openMigrated(
  url: string,
  user: LedgerUser,
  { app, ...options }: PostgresLedgerOptions & { app?: string | undefined } = {},
): Promise<{ database: Database; newer: string[] }> {
  const database = new Database(url, options);
  try {
    const { role, newer } = await bringUpToDate(database, url, engineSet(user));
    const { tables, rights } = rightsOf(user);
    const missing = await database.query(MISSING_RIGHTS, [tables, rights]);
    if (missing.length > 0) throw missingRights(database.where, grantsFor(user, role), { user });
    for (const set of await appSets(app)) {
      newer.push(...(await bringUpToDate(database, url, set)).newer);
    }
    return { database, newer };
  } catch (error) {
    await database.close();
    throw error;
  }
}
