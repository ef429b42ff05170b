import type pg from 'pg';

const TABLES = ['ledger', 'steps', 'questions', 'shares', 'retired_scopes'];

/** A ledger's tables as they were at a moment, kept in the same database. */
export interface LedgerBackup {
  /** Puts the ledger back to that moment, all at once, as a restore of the database does. */
  restore(): Promise<void>;
}

/** Copies a PostgreSQL ledger's tables. */
export async function backUpLedger(sql: pg.Pool): Promise<LedgerBackup> {
  const name = `backup_${Date.now()}`;
  await sql.query(`CREATE SCHEMA ${name}`);
  await together(
    sql,
    TABLES.map((table) => `CREATE TABLE ${name}.${table} AS TABLE agent_once.${table}`),
  );
  return {
    restore: () =>
      together(
        sql,
        TABLES.flatMap((table) => [
          `DELETE FROM agent_once.${table}`,
          `INSERT INTO agent_once.${table} SELECT * FROM ${name}.${table}`,
        ]),
      ),
  };
}

async function together(sql: pg.Pool, statements: readonly string[]): Promise<void> {
  const client = await sql.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    for (const statement of statements) await client.query(statement);
    await client.query('COMMIT');
  } finally {
    client.release(true);
  }
}
