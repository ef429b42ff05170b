import pg from 'pg';
import { app } from '../src/app/compose.ts';
import { migrateLedger } from '../src/ledger/open-ledger.ts';
import type { Scenario } from './scenario.ts';

/** Makes the app's own tables, and those of the scenario's transactional tools. */
export async function prepareDatabase(url: string, { setup }: Scenario): Promise<void> {
  await migrateLedger(url, [], app.folder);
  if (setup === undefined) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(setup);
  } finally {
    await client.end();
  }
}
