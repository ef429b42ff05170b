import { fileURLToPath } from 'node:url';
import { listMigrations, migrationsOf } from '../list-migrations.ts';
import { grantsFor, grantsOnApp, type LedgerUser } from './rights.ts';

/** Migrations of one owner: their folder, and the schema that has the table of those made. */
export interface MigrationSet {
  schema: string;
  folder: string;
  /** Of their names, where they are told. */
  prefix: string;
  /** The statements that give a role what it needs. */
  grants: (role: string) => string[];
}

export function engineSet(user: LedgerUser): MigrationSet {
  const folder = fileURLToPath(new URL('./migrations/', import.meta.url));
  return { schema: 'agent_once', folder, prefix: '', grants: (role) => grantsFor(user, role) };
}

/** One set, or none where the app has no migrations. */
export async function appSets(app: string | undefined): Promise<MigrationSet[]> {
  if (app === undefined || (await listMigrations(migrationsOf(app))).length === 0) return [];
  return [{ schema: 'app', folder: migrationsOf(app), prefix: 'app/', grants: grantsOnApp }];
}
