import { AgentOnceError } from '../../contract/errors.ts';
import type { LedgerKeeper } from '../keeper.ts';
import type { LedgerIdentity } from '../port.ts';
import type { Database } from './database.ts';
import { openMigrated } from './open-migrated.ts';

const COLUMNS = `
  l.id, to_json(l.stands_in_for) AS stands_in_for,
  extract(epoch FROM l.closed_at)::double precision * 1000 AS closed_ms`;

const READ = `SELECT ${COLUMNS} FROM agent_once.ledger AS l`;

const ACCEPT = `
UPDATE agent_once.ledger AS l
SET stands_in_for = ARRAY(
      SELECT DISTINCT known FROM unnest(l.stands_in_for || l.id || $1::uuid) AS known
      WHERE known IS NOT NULL ORDER BY known
    ),
    id = gen_random_uuid(), closed_at = NULL
RETURNING ${COLUMNS}`;

const SHUT = `
UPDATE agent_once.ledger AS l SET closed_at = coalesce(l.closed_at, clock_timestamp())
RETURNING ${COLUMNS}`;

const REOPEN = `UPDATE agent_once.ledger AS l SET closed_at = NULL RETURNING ${COLUMNS}`;

const CONTENTS = `
SELECT count(*)::double precision AS steps,
  extract(epoch FROM max(greatest(s.created_at, s.claimed_at, s.ended_at)))::double precision * 1000
    AS changed_ms
FROM agent_once.steps AS s`;

interface IdentityRow {
  id: string;
  stands_in_for: string[];
  closed_ms: number | null;
}

/** See `Ledger.identity`. */
export function readIdentity(database: Database): Promise<LedgerIdentity> {
  return identify(database, READ);
}

/** See `openLedgerKeeper`. Brings the schema up to date. */
export async function openPostgresLedgerKeeper(url: string): Promise<LedgerKeeper> {
  const database = await openMigrated(url, 'keeper', { poolSize: 1 });
  return {
    identity: () => readIdentity(database),
    acceptRestore: (lost) => identify(database, ACCEPT, [lost ?? null]),
    shut: () => identify(database, SHUT),
    reopen: () => identify(database, REOPEN),
    async contents() {
      const [found] = await database.query<{ steps: number; changed_ms: number | null }>(CONTENTS);
      return { steps: found?.steps ?? 0, changedAt: isoTime(found?.changed_ms ?? null) };
    },
    close: () => database.close(),
  };
}

async function identify(
  database: Database,
  statement: string,
  values: readonly unknown[] = [],
): Promise<LedgerIdentity> {
  const [row] = await database.query<IdentityRow>(statement, values);
  if (row === undefined) throw withoutIdentity(database.where);
  return { id: row.id, standsInFor: row.stands_in_for, closedAt: isoTime(row.closed_ms) };
}

/** @param where host, port and database, without credentials */
export function withoutIdentity(where: string): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} has lost its identity (the table agent_once.ledger is empty). Nothing was changed. Restore the database as a whole.`,
  );
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
