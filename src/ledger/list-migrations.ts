import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Where a ledger is, and which migrations were applied. */
export interface Migrated {
  where: string;
  applied: string[];
}

/** The folder of the app's own migrations. */
export function migrationsOf(app: string): string {
  return path.join(app, 'migrations');
}

/** Names of the migrations in a folder, in order; none where the folder is missing. */
export async function listMigrations(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}
