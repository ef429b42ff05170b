import pg from 'pg';

/**
 * Who uses the ledger: workers, the HTTP service and `explain`, `agent-once api-keys`, and who looks
 * after it with `agent-once ledger`.
 */
export type LedgerUser = 'worker' | 'service' | 'api-keys' | 'keeper';

/**
 * The rights that each needs besides USAGE on the schema and EXECUTE on its functions, and no
 * others. `docs/postgresql.md` lists them as statements. Cleaning deletes, and it is the worker's.
 */
const RIGHTS: Readonly<Record<LedgerUser, Readonly<Record<string, readonly string[]>>>> = {
  worker: {
    SELECT: ['migrations', 'ledger'],
    'SELECT, INSERT, UPDATE': ['homes'],
    'SELECT, INSERT, UPDATE, DELETE': [
      'steps',
      'questions',
      'shares',
      'retired_scopes',
      'worker_leases',
    ],
  },
  service: { SELECT: ['migrations', 'steps', 'questions', 'worker_leases', 'api_keys'] },
  'api-keys': { SELECT: ['migrations'], 'SELECT, INSERT, UPDATE': ['api_keys'] },
  keeper: { SELECT: ['migrations', 'steps'], 'SELECT, UPDATE': ['ledger'] },
};

/** The options of `agent-once ledger migrate` by which roles get these rights. */
export const GRANT_OPTIONS: Readonly<Record<LedgerUser, string>> = {
  worker: '--grant-to',
  service: '--grant-service-to',
  'api-keys': '--grant-api-keys-to',
  keeper: '--grant-keeper-to',
};

/** A role of the database, and as whom it uses the ledger. */
export interface GrantTo {
  user: LedgerUser;
  role: string;
}

/** The statements that give a role what it needs, for its owner to run. */
export function grantsFor(user: LedgerUser, role: string): string[] {
  const to = `TO ${quoted(role)};`;
  return [
    `GRANT USAGE ON SCHEMA agent_once ${to}`,
    ...Object.entries(RIGHTS[user]).map(
      ([rights, tables]) =>
        `GRANT ${rights} ON ${tables.map((table) => `agent_once.${table}`).join(', ')} ${to}`,
    ),
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agent_once ${to}`,
  ];
}

/** The same for a worker's role and the app's own tables. */
export function grantsOnApp(role: string): string[] {
  const to = `TO ${quoted(role)};`;
  return [
    `GRANT USAGE ON SCHEMA app ${to}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app ${to}`,
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA app ${to}`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA app ${to}`,
  ];
}

/** Tables and rights, one pair for each right on a table. */
export function rightsOf(user: LedgerUser): { tables: string[]; rights: string[] } {
  const pairs = Object.entries(RIGHTS[user]).flatMap(([rights, tables]) =>
    tables.flatMap((table) => rights.split(', ').map((right) => [`agent_once.${table}`, right])),
  ) as [table: string, right: string][];
  return { tables: pairs.map(([table]) => table), rights: pairs.map(([, right]) => right) };
}

function quoted(role: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(role) ? role : pg.escapeIdentifier(role);
}
