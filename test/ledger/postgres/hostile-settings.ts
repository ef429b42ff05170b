import type { TestDatabase } from '../../support/database.ts';
import { queryOnce } from '../../support/database.ts';

/**
 * Defaults that a database may have, and that the ledger must not depend on. A transaction begins
 * under them: a second is long enough for that on a busy machine.
 */
export const HOSTILE: readonly (readonly [setting: string, value: string])[] = [
  ['DateStyle', `'German'`],
  ['DateStyle', `'SQL, DMY'`],
  ['TimeZone', `'Asia/Kathmandu'`],
  ['IntervalStyle', `'sql_standard'`],
  ['bytea_output', `'escape'`],
  ['extra_float_digits', '-15'],
  ['client_encoding', `'LATIN1'`],
  ['standard_conforming_strings', 'off'],
  ['search_path', 'hostile, pg_catalog'],
  ['default_transaction_isolation', `'serializable'`],
  ['default_transaction_read_only', 'on'],
  ['default_transaction_deferrable', 'on'],
  ['statement_timeout', `'1s'`],
  ['lock_timeout', `'1ms'`],
  ['idle_in_transaction_session_timeout', `'1ms'`],
  ['synchronous_commit', 'off'],
  ['transform_null_equals', 'on'],
  ['array_nulls', 'off'],
  ['quote_all_identifiers', 'on'],
];

/** Tables, functions and an operator that hide PostgreSQL's own where the search path says so. */
const HIDES = `
  CREATE SCHEMA hostile;
  CREATE TABLE hostile.steps (nothing int);
  CREATE TABLE hostile.migrations (nothing int);
  CREATE TABLE hostile.pg_namespace (oid oid);
  CREATE TABLE hostile.pg_proc (oid oid, proname name, pronamespace oid);
  CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    'SELECT ''2001-01-01''::timestamptz';
  CREATE FUNCTION hostile.statement_timestamp() RETURNS timestamptz LANGUAGE sql AS
    'SELECT ''2001-01-01''::timestamptz';
  CREATE FUNCTION hostile.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS 'SELECT ''hidden''';
  CREATE FUNCTION hostile.current_setting(text, boolean) RETURNS text LANGUAGE sql AS
    'SELECT ''hidden''';
  CREATE FUNCTION hostile.no(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
  CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.no);
  GRANT USAGE ON SCHEMA hostile TO PUBLIC`;

/** Sets defaults of a database for sessions that begin from now on. */
export async function makeHostile(
  { url }: TestDatabase,
  settings: typeof HOSTILE = HOSTILE,
): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await queryOnce(url, HIDES);
  const sets = settings.map(
    ([setting, value]) => `ALTER DATABASE ${name} SET ${setting} = ${value};`,
  );
  await queryOnce(url, sets.join('\n'));
}
