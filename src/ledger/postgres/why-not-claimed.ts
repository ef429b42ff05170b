import type { ClaimAnswer, StepClaim } from '../port.ts';
import type { Database } from './database.ts';
import { withoutIdentity } from './identity.ts';

/** Reads again, in the order of importance, what the claim's own statement found wanting. */
const WHY = `
SELECT
  EXISTS (SELECT 1 FROM agent_once.retired_scopes WHERE scope = $1::text) AS retired,
  l.id, l.closed_at IS NOT NULL AS closed,
  $3::uuid = l.id AS same,
  CASE WHEN $3::uuid IS NOT NULL THEN $3::uuid = ANY (l.stands_in_for)
       ELSE l.stands_in_for <> '{}' END AS accepted,
  before.state AS before_state, before.digest AS before_digest,
  own.state AS own_state, coalesce(own.fence >= $5::bigint, false) AS has_fence
FROM agent_once.ledger AS l
LEFT JOIN agent_once.steps AS before ON before.scope = $1::text AND before.step = $2::text
LEFT JOIN agent_once.steps AS own ON own.scope = $1::text AND own.step = $4::text`;

interface WhyRow {
  retired: boolean;
  id: string;
  closed: boolean;
  /** `null`: the run knows no ledger. */
  same: boolean | null;
  accepted: boolean;
  before_state: string | null;
  before_digest: string | null;
  own_state: string | null;
  has_fence: boolean;
}

/**
 * Says why a claim has met no row and made none: a rare case, worth a second round trip.
 *
 * @returns `undefined`: by now there is no reason
 */
export async function whyNotClaimed(
  database: Database,
  step: StepClaim,
): Promise<ClaimAnswer | undefined> {
  const { previous, ledger, row, done, fence } = step.seen ?? {};
  const [why] = await database.query<WhyRow>(WHY, [
    step.scope,
    previous?.step ?? null,
    ledger ?? null,
    step.step,
    fence ?? null,
  ]);
  if (why === undefined) throw withoutIdentity(database.where);
  if (why.retired) return { state: 'superseded' };
  const restored = { state: 'restored', ledger: why.id, accepted: false } as const;
  if (why.closed) return { ...restored, lacks: 'claims' };
  if (why.same === false && !why.accepted) return { ...restored, lacks: 'all' };
  const hasBefore = why.before_state === 'completed';
  if (previous && hasBefore && why.before_digest !== previous.digest) return { state: 'diverged' };
  // An accepted ledger may lack the call's own past, but not what a step builds on.
  const lacks =
    (previous && !hasBefore) ||
    (row && why.own_state === null) ||
    (!why.accepted && done && why.own_state !== 'completed') ||
    (!why.accepted && fence !== undefined && !why.has_fence);
  return lacks ? { ...restored, lacks: 'records', accepted: why.accepted } : undefined;
}
