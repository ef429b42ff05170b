/** A statement ends itself on the server when its caller has given it up. */
export const QUERY_TIMEOUT_MS = 15_000;
/** Somebody who holds a row longer than this is asked about again later. */
export const LOCK_TIMEOUT_MS = 2_000;

/**
 * What the ledger's SQL, and `pg` when it reads the answers, rely on: a database, a role or a pooler
 * may have other defaults.
 */
const RELIED_ON: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  // `pg` reads no other form of a time.
  DateStyle: 'ISO',
  bytea_output: 'hex',
  // All digits of a cost.
  extra_float_digits: '1',
  // Functions and operators are PostgreSQL's own. The ledger's tables are named with their schema.
  search_path: 'pg_catalog',
  statement_timeout: String(QUERY_TIMEOUT_MS),
  lock_timeout: String(LOCK_TIMEOUT_MS),
};

/** Begins a transaction that depends on no default. */
export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
export const BEGIN_READING = 'BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY';

/**
 * A statement that sets what the ledger relies on until the transaction ends. Goes in one text with
 * BEGIN: between two, the database may have no patience.
 */
export function settingsOfTransaction(changes: Readonly<Record<string, string>> = {}): string {
  const idle = { idle_in_transaction_session_timeout: '5000' };
  return `SELECT ${setAll({ ...RELIED_ON, ...idle, ...changes }, true)}`;
}

/**
 * A statement that sets it for the whole session, and answers with one row; with `processId` only
 * where the server's process has that number, and with no row elsewhere.
 */
export function settingsOfSession(readOnly: boolean, processId?: number): string {
  const settings = {
    ...RELIED_ON,
    // A transaction says these when it begins.
    default_transaction_isolation: 'read committed',
    default_transaction_read_only: readOnly ? 'on' : 'off',
    idle_in_transaction_session_timeout: '0',
    // Where tables are large, plans for the values at hand look cheaper: a claim takes longer to plan
    // than to run then, each time, and comes out the same.
    plan_cache_mode: 'force_generic_plan',
  };
  const set = `SELECT ${setAll(settings, false)}`;
  return processId === undefined
    ? set
    : `${set} WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ${processId}`;
}

/** Names everything with its schema: the search path is still whatever it was. */
function setAll(settings: Readonly<Record<string, string>>, local: boolean): string {
  const set = (name: string, value: string) =>
    `pg_catalog.set_config('${name}', '${value}', ${local})`;
  // A commit that a crash of the server takes back is a claim that is forgotten. What waits for more
  // than the disk stays as it is.
  const commit = `CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off'
    THEN ${set('synchronous_commit', 'on')} END`;
  return [...Object.entries(settings).map(([name, value]) => set(name, value)), commit].join(', ');
}

const TOOLS_PATH = 'agent_once.search_path';

/**
 * For the ledger's own statement at the end of a tool's transaction: the search path is the
 * ledger's during it, and the tool's again for what the database does when it commits.
 */
export const WITHIN_TOOL = {
  before: `SELECT pg_catalog.set_config('${TOOLS_PATH}', pg_catalog.current_setting('search_path'), true),
    ${setAll(RELIED_ON, true)}`,
  after: `SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('${TOOLS_PATH}', true), true)`,
} as const;
