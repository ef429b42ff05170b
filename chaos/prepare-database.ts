import pg from 'pg';
import type { Scenario } from './scenario.ts';

/** Makes the tables of the scenario's transactional tools. */
export async function prepareDatabase(url: string, { setup }: Scenario): Promise<void> {
  if (setup === undefined) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(setup);
  } finally {
    await client.end();
  }
}
