import type { ClaimAnswer, StepClaim } from '../port.ts';
import type { Database } from './database.ts';
import { withoutIdentity } from './identity.ts';

/** Reads again, in the order of importance, what the claim's own statement found wanting. */
const WHY = `
SELECT
  EXISTS (SELECT 1 FROM agent_once.retired_scopes WHERE scope = $1::text) AS retired,
  l.id, l.closed_at IS NOT NULL AS closed,
  $3::uuid = l.id AS same,
  $3::uuid = ANY (l.stands_in_for) AS accepted,
  before.state AS before_state, before.digest AS before_digest
FROM agent_once.ledger AS l
LEFT JOIN agent_once.steps AS before ON before.scope = $1::text AND before.step = $2::text`;

interface WhyRow {
  retired: boolean;
  id: string;
  closed: boolean;
  /** `null`: the run knows no ledger. */
  same: boolean | null;
  accepted: boolean | null;
  before_state: string | null;
  before_digest: string | null;
}

/** Says why a claim has met no row and made none: a rare case, worth a second round trip. */
export async function whyNotClaimed(database: Database, step: StepClaim): Promise<ClaimAnswer> {
  const { previous, ledger } = step.seen ?? {};
  const [why] = await database.query<WhyRow>(WHY, [
    step.scope,
    previous?.step ?? null,
    ledger ?? null,
  ]);
  if (why === undefined) throw withoutIdentity(database.where);
  if (why.retired) return { state: 'superseded' };
  const restored = { state: 'restored', ledger: why.id, accepted: false } as const;
  if (why.closed) return { ...restored, lacks: 'claims' };
  if (why.same === false && why.accepted === false) return { ...restored, lacks: 'all' };
  if (
    previous &&
    why.before_state === 'completed' &&
    why.before_digest !== null &&
    why.before_digest !== previous.digest
  ) {
    return { state: 'diverged' };
  }
  return { ...restored, lacks: 'records', accepted: why.accepted === true };
}
