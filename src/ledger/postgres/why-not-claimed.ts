import type { ClaimAnswer, Lack, StepClaim } from '../port.ts';
import type { Database } from './database.ts';
import { withoutIdentity } from './identity.ts';

/**
 * Reads again, in the order of importance, what the claim's own statement found wanting. An accepted
 * ledger may lack the call's own past, but not what a step builds on.
 */
const WHY = `
SELECT l.id, seen.accepted, CASE
  WHEN EXISTS (SELECT 1 FROM agent_once.retired_scopes WHERE scope = $1::text) THEN 'superseded'
  WHEN l.closed_at IS NOT NULL THEN 'claims'
  WHEN $3::uuid <> l.id AND NOT seen.accepted THEN 'all'
  WHEN before.state = 'completed' AND before.digest <> $6::text THEN 'diverged'
  WHEN ($2::text IS NOT NULL AND before.state IS DISTINCT FROM 'completed')
    OR ($7::boolean AND own.state IS NULL)
    OR (NOT seen.accepted AND $8::boolean AND own.state IS DISTINCT FROM 'completed')
    OR (NOT seen.accepted AND $5::bigint IS NOT NULL AND coalesce(own.fence < $5::bigint, true))
    THEN 'records'
  END AS why
FROM agent_once.ledger AS l
CROSS JOIN LATERAL (
  SELECT CASE WHEN $3::uuid IS NOT NULL THEN $3::uuid = ANY (l.stands_in_for)
              ELSE l.stands_in_for <> '{}' END AS accepted
) AS seen
LEFT JOIN agent_once.steps AS before ON before.scope = $1::text AND before.step = $2::text
LEFT JOIN agent_once.steps AS own ON own.scope = $1::text AND own.step = $4::text`;

interface Why {
  id: string;
  accepted: boolean;
  why: 'superseded' | 'diverged' | Lack | null;
}

/**
 * Says why a claim has met no row and made none: a rare case, worth a second round trip.
 *
 * @returns `undefined`: by now there is no reason
 */
export async function whyNotClaimed(
  database: Database,
  { scope, step, seen = {} }: StepClaim,
): Promise<ClaimAnswer | undefined> {
  const { previous, ledger, row = false, done = false, fence } = seen;
  const values = [scope, previous?.step, ledger, step, fence, previous?.digest, row, done];
  const [found] = await database.query<Why>(WHY, values);
  if (found === undefined) throw withoutIdentity(database.where);
  const { id, accepted, why } = found;
  if (why === null) return undefined;
  if (why === 'superseded' || why === 'diverged') return { state: why };
  return { state: 'restored', ledger: id, lacks: why, accepted: why === 'records' && accepted };
}
