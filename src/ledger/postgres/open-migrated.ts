import { Database, type PostgresLedgerOptions } from './database.ts';
import { migrateIfNeeded } from './migrate.ts';
import type { LedgerUser } from './rights.ts';

/**
 * Opens the database and brings its schema up to date for one who uses it then. Close it when done.
 *
 * @throws {AgentOnceError} `config.invalid`, and as `migrateIfNeeded`
 */
export async function openMigrated(
  url: string,
  user: LedgerUser,
  { app, ...options }: PostgresLedgerOptions & { app?: string | undefined } = {},
): Promise<Database> {
  const database = new Database(url, options);
  try {
    await migrateIfNeeded(database, url, user, app);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
