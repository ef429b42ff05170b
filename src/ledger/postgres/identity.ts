import { AgentOnceError } from '../../contract/errors.ts';
import type { LedgerContents, LedgerKeeper } from '../keeper.ts';
import type { LedgerIdentity } from '../port.ts';
import type { Database } from './database.ts';
import { openMigrated } from './open-migrated.ts';
import { readRows } from './records.ts';

const COLUMNS = 'l.id, l.stands_in_for, l.closed_at';

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
  max(greatest(s.created_at, s.claimed_at, s.ended_at)) AS changed_at
FROM agent_once.steps AS s`;

/** See `Ledger.identity`. */
export function readIdentity(database: Database): Promise<LedgerIdentity> {
  return identify(database, READ);
}

/** See `openLedgerKeeper`. Brings the schema up to date. */
export async function openPostgresLedgerKeeper(url: string): Promise<LedgerKeeper> {
  const { database } = await openMigrated(url, 'keeper', { poolSize: 1 });
  return {
    identity: () => readIdentity(database),
    acceptRestore: (lost) => identify(database, ACCEPT, [lost ?? null]),
    shut: () => identify(database, SHUT),
    reopen: () => identify(database, REOPEN),
    async contents() {
      const [found] = await readRows<LedgerContents>(database, CONTENTS);
      return found ?? { steps: 0, changedAt: null };
    },
    close: () => database.close(),
  };
}

async function identify(
  database: Database,
  statement: string,
  values: readonly unknown[] = [],
): Promise<LedgerIdentity> {
  const [identity] = await readRows<LedgerIdentity>(database, statement, values);
  if (identity === undefined) throw withoutIdentity(database.where);
  return identity;
}

/** @param where host, port and database, without credentials */
export function withoutIdentity(where: string): AgentOnceError {
  return new AgentOnceError(
    'ledger.invalid',
    `The ledger at ${where} has lost its identity (the table agent_once.ledger is empty). Nothing was changed. Restore the database as a whole.`,
  );
}
