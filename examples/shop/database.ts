import { readFileSync } from 'node:fs';
import pg from 'pg';

/** Anything that takes SQL: the pool, or one connection in a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** Any number that other programs on this database do not use as an advisory lock. */
const SCHEMA_LOCK = 7_208_041;

/** Connects and makes the shop's tables, whoever else does the same at this moment. */
export async function openDatabase(databaseUrl: string): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 20,
    connectionTimeoutMillis: 5_000,
  });
  // Without a listener, a database that stops would end this process.
  pool.on('error', (error) => {
    // While the shop stops, its database may be gone before the last connection.
    if (!pool.ending) console.error(`shop: the database went away: ${error.message}`);
  });
  try {
    const schema = readFileSync(new URL('./schema.sql', import.meta.url), 'utf8');
    await inTransaction(pool, async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
      await tx.query(schema);
    });
  } catch (error) {
    await pool.end();
    throw error;
  }
  return pool;
}

/** Commits what `work` did, or rolls back all of it and passes on its error. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect();
  let broken: Error | undefined;
  // A connection that is in use reports here, and not at the pool, that the database went away.
  const onError = (error: Error) => (broken = error);
  connection.on('error', onError);
  try {
    await connection.query('BEGIN');
    const result = await work(connection);
    await connection.query('COMMIT');
    return result;
  } catch (error) {
    await connection.query('ROLLBACK').catch(onError);
    throw error;
  } finally {
    connection.off('error', onError);
    connection.release(broken);
  }
}
