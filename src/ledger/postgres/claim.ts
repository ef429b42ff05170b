import { answerClaim, type ClaimDecision, type MetStep } from '../claim-answer.ts';
import { encodePayload } from '../payload.ts';
import type { Claim, ClaimAnswer, StepClaim } from '../port.ts';
import { LOST, UNREADABLE } from '../step-errors.ts';
import type { Database } from './database.ts';
import { endings } from './finish.ts';
import { toPort } from './records.ts';
import { releaseFrom, workerLeases } from './worker-leases.ts';
import { whyNotClaimed } from './why-not-claimed.ts';

/**
 * The claim. It always updates the row it meets: only then does it decide on the current row, under
 * its lock, and not on a snapshot that a concurrent claim has made stale. The decision is taken
 * once, stored in `answer`, and read back from there, since time passes between SET and RETURNING.
 *
 * Where the ledger lacks what the run has seen, there is nothing to insert. What a row of `ledger`
 * that stands in for the one that was seen has not claimed itself may have been done and lost.
 *
 * `OFFSET 0` keeps the planner from copying a subquery's expressions, the clock among them, to
 * each place that uses them.
 */
const CLAIM = `
INSERT INTO agent_once.steps AS s (
  scope, step, turn, kind, name, effect, digest, state, answer, fence, nonce, lease_until,
  attempts, run_attempts, unknown_attempts, errors, request, workflow_id, run_id, worker, claimed_at,
  ledger, lease, activity_id
)
SELECT
  $1::text, $2::text, $3::int, $4::text, $5::text, $6::text, $7::text, 'claimed', 'claimed',
  coalesce($17::bigint, 0) + 1,
  $8::uuid, clock_timestamp() + $9::double precision * interval '1 millisecond',
  1 + lost.attempts, 1, lost.attempts, lost.errors, $10::bytea, $11::text, $12::text, $13::text,
  clock_timestamp(), l.id, $22::uuid, $23::text
FROM agent_once.ledger AS l,
  LATERAL (
    SELECT CASE
      WHEN $15::uuid IS NOT NULL THEN $15::uuid = ANY (l.stands_in_for)
      -- A run of an earlier version knows no ledger.
      ELSE ($16::boolean OR $21::boolean OR $18::text IS NOT NULL)
        AND l.stands_in_for <> '{}'
    END AS accepted OFFSET 0
  ) AS seen,
  LATERAL (
    SELECT CASE WHEN unseen THEN 0 ELSE 1 END AS attempts,
           CASE WHEN unseen THEN '[]'::jsonb ELSE $20::jsonb END AS errors
    FROM (
      SELECT NOT (seen.accepted AND ($16::boolean OR $21::boolean OR $17::bigint IS NOT NULL))
        AS unseen
    ) AS it OFFSET 0
  ) AS lost
WHERE NOT EXISTS (SELECT 1 FROM agent_once.retired_scopes WHERE scope = $1::text)
  AND l.closed_at IS NULL
  AND ($15::uuid IS NULL OR $15::uuid = l.id OR seen.accepted)
  AND (NOT $16::boolean OR EXISTS (
    SELECT 1 FROM agent_once.steps WHERE scope = $1::text AND step = $2::text))
  AND (NOT $21::boolean OR seen.accepted OR EXISTS (
    SELECT 1 FROM agent_once.steps
    WHERE scope = $1::text AND step = $2::text AND state = 'completed'))
  AND ($17::bigint IS NULL OR seen.accepted OR EXISTS (
    SELECT 1 FROM agent_once.steps
    WHERE scope = $1::text AND step = $2::text AND fence >= $17::bigint))
  AND ($18::text IS NULL OR EXISTS (
    SELECT 1 FROM agent_once.steps
    WHERE scope = $1::text AND step = $18::text AND state = 'completed' AND digest = $19::text))
ON CONFLICT (scope, step) DO UPDATE SET (
  answer, state, effect, fence, nonce, lease_until,
  attempts, run_attempts, unknown_attempts, errors,
  request, workflow_id, run_id, worker, claimed_at, ended_at, ledger, lease,
  activity_id
) = (
  SELECT
    -- That a completion settled the step is told whenever it is repeated: a claim must not hide it.
    CASE WHEN s.answer = 'settled' THEN s.answer ELSE decision.answer END,
    CASE WHEN mine THEN 'claimed' WHEN decision.answer = 'unknown' THEN 'unknown'
         ELSE s.state END,
    CASE WHEN mine THEN excluded.effect ELSE s.effect END,
    -- A lost attempt had a fence of its own, which nobody else may have: not even its question.
    CASE WHEN taken THEN greatest(s.fence, lost_fence) + 1
         WHEN forgot THEN greatest(CASE s.state WHEN 'claimed' THEN s.fence ELSE s.fence + 1 END,
                                   lost_fence)
         ELSE s.fence END,
    CASE WHEN mine THEN excluded.nonce ELSE s.nonce END,
    CASE WHEN mine THEN clock.now + $9::double precision * interval '1 millisecond'
         ELSE s.lease_until END,
    CASE WHEN taken THEN s.attempts + 1 ELSE s.attempts END
      + CASE WHEN forgot THEN 1 ELSE 0 END,
    CASE WHEN taken THEN run.used + 1 ELSE s.run_attempts END,
    CASE WHEN forgot OR (s.state = 'claimed' AND (taken OR decision.answer = 'unknown')
                         AND NOT coalesce(s.asking ? 'pending', false))
         THEN s.unknown_attempts + 1 ELSE s.unknown_attempts END,
    CASE WHEN forgot THEN agent_once.kept_errors(s.errors || excluded.errors) ELSE s.errors END,
    CASE WHEN mine THEN coalesce(s.request, excluded.request) ELSE s.request END,
    CASE WHEN mine THEN excluded.workflow_id ELSE s.workflow_id END,
    CASE WHEN mine THEN excluded.run_id ELSE s.run_id END,
    CASE WHEN mine THEN excluded.worker ELSE s.worker END,
    CASE WHEN taken THEN clock.now ELSE s.claimed_at END,
    CASE WHEN taken THEN NULL WHEN forgot THEN clock.now ELSE s.ended_at END,
    CASE WHEN mine OR decision.answer = 'unknown' THEN excluded.ledger ELSE s.ledger END,
    CASE WHEN mine THEN excluded.lease ELSE s.lease END,
    CASE WHEN mine THEN excluded.activity_id ELSE s.activity_id END
  FROM
    (SELECT clock_timestamp() AS now OFFSET 0) AS clock,
    LATERAL (
      -- Attempts that the excluded row counts as lost, unless this ledger has spoken since.
      SELECT excluded.unknown_attempts > 0 AND s.ledger IS DISTINCT FROM excluded.ledger AS doubted
      OFFSET 0
    ) AS loss,
    LATERAL (
      SELECT CASE WHEN s.run_id = excluded.run_id THEN s.run_attempts ELSE 0 END AS used OFFSET 0
    ) AS run,
    LATERAL (
      SELECT CASE
        WHEN s.digest <> excluded.digest THEN 'diverged'
        WHEN s.state = 'completed' THEN 'completed'
        WHEN s.state = 'claimed' AND s.nonce = excluded.nonce THEN 'same'
        WHEN s.state = 'claimed' AND s.lease_until > clock.now THEN 'busy'
        WHEN s.state = 'unknown' THEN 'unknown'
        -- What counts is what the tool was when the attempt began, and what it is by now.
        WHEN (s.state = 'claimed' OR loss.doubted) AND 'at-most-once' IN (s.effect, excluded.effect)
          THEN 'unknown'
        WHEN run.used >= $14::int THEN 'exhausted'
        ELSE 'claimed'
      END AS answer OFFSET 0
    ) AS decision,
    LATERAL (
      SELECT decision.answer = 'claimed' AS taken,
             decision.answer IN ('claimed', 'same') AS mine,
             loss.doubted AND s.state <> 'unknown' AND decision.answer IN ('claimed', 'unknown')
               AS forgot,
             coalesce($17::bigint, 0) AS lost_fence OFFSET 0
    ) AS outcome
)
RETURNING s.answer, s.digest, s.request, s.fence, s.attempts, s.run_attempts, s.unknown_attempts,
  s.round, s.unusable_answers, s.asking,
  s.result, s.result_bytes, s.known_by, s.shared_with, s.input_tokens, s.output_tokens, s.cost_usd,
  s.worker, s.claimed_at, s.ended_at, s.errors,
  (SELECT id FROM agent_once.ledger) AS here,
  CASE WHEN $4::text = 'model' THEN (
    SELECT encode(sha256(convert_to(coalesce(string_agg(
      e.step || ' ' || e.state || ' ' || coalesce(e.nonce::text, ''), E'\\n'
      ORDER BY e.step COLLATE "C"), ''), 'UTF8')), 'hex')
    FROM agent_once.steps AS e WHERE e.scope = $1::text AND e.turn < $3::int
  ) END AS before,
  s.lease, extract(epoch FROM agent_once.held_until(s.lease_until, s.lease) - clock_timestamp())
    ::double precision * 1000 AS lease_left_ms`;

/** Whether a claim still holds, and its worker's lease does for a while. */
const HOLDS = `
SELECT w.deadline > clock_timestamp() + interval '2 seconds' AS ok
FROM agent_once.steps AS s LEFT JOIN agent_once.worker_leases AS w ON w.id = s.lease
WHERE s.scope = $1 AND s.step = $2 AND s.fence = $3
  AND (s.state = 'completed' OR (s.state = 'claimed' AND s.lease = $4::uuid))
  AND s.known_by IS DISTINCT FROM 'person'`;

const RENEW = `
UPDATE agent_once.steps AS s
SET lease_until = CASE s.state
  WHEN 'claimed' THEN clock_timestamp() + $4::double precision * interval '1 millisecond'
  ELSE s.lease_until END
WHERE s.scope = $1 AND s.step = $2 AND s.fence = $3 AND s.state IN ('claimed', 'completed')
  AND s.known_by IS DISTINCT FROM 'person'
RETURNING s.state`;

interface MetRow extends MetStep {
  /**
   * `same`: claimed, and it was before with this nonce; `settled`: completed, unless it is about
   * something else.
   */
  answer: ClaimDecision | 'same' | 'settled';
  /** Identity of the ledger. */
  here: string;
  /** The worker's lease that whoever holds the step has. */
  lease: string | null;
}

/** One round trip; see `Ledger.claim`. */
export async function claimStep(database: Database, step: StepClaim): Promise<ClaimAnswer> {
  const request = step.request === undefined ? undefined : await encodePayload(step.request);
  const { ledger, row: hasRow = false, done = false, fence, previous } = step.seen ?? {};
  const what = [step.scope, step.step, step.turn, step.kind, step.name, step.effect, step.digest];
  const { lease } = step;
  const claim = [step.nonce, lease?.holdMs ?? step.leaseMs, request?.data];
  const by = [step.workflowId, step.runId, step.worker, step.maximumAttempts];
  const seen = [ledger, hasRow, fence, previous?.step, previous?.digest];
  const under = [lease?.id, step.activityId];
  const values = [...what, ...claim, ...by, ...seen, JSON.stringify([LOST]), done, ...under];
  const [row] = await database.query(CLAIM, values);
  if (row !== undefined) {
    const met = await toPort<MetRow>(row).catch(async (error: unknown) => {
      await giveBack(database, step, row);
      throw error;
    });
    const { fence: held, lease: theirs, leaseLeftMs } = met;
    // Only a hint, as this statement's snapshot has it: the next one looks under the lease's lock.
    if (met.answer === 'busy' && theirs !== null && (leaseLeftMs ?? 0) <= 0) {
      const at = { scope: step.scope, step: step.step, fence: held };
      if (await releaseFrom(database, theirs, at)) return claimStep(database, step);
    }
    return answerClaim(decisionOf(met, step), met, step, met.here);
  }
  // Where nothing is wanting any more, a person has accepted the ledger in this very moment.
  return (await whyNotClaimed(database, step)) ?? claimStep(database, step);
}

/** Whoever cannot read its row has not begun: the claim must not end as that of a worker that died. */
async function giveBack(database: Database, { scope, step, leaseMs }: StepClaim, row: object) {
  const { answer, fence } = row as Pick<MetRow, 'answer' | 'fence'>;
  if (answer !== 'claimed' && answer !== 'same') return;
  const claim = { scope, step, fence, leaseMs };
  await endings(database).fail(claim, UNREADABLE, { counted: false, once: true });
}

/**
 * Extends the lease, or sees to it that the worker's holds. A step completed by this claim is still its
 * own.
 */
export async function renewClaim(database: Database, claim: Claim): Promise<boolean> {
  const { scope, step, fence, lease } = claim;
  if (lease !== undefined) {
    const look = () => database.query<{ ok: boolean }>(HOLDS, [scope, step, fence, lease]);
    const [held] = await look();
    if (!held || held.ok) return held !== undefined;
    await workerLeases(database).renew(lease);
    return (await look()).length > 0;
  }
  const rows = await database.query(RENEW, [claim.scope, claim.step, claim.fence, claim.leaseMs]);
  return rows.length > 0;
}

function decisionOf({ answer, digest }: MetRow, step: StepClaim): ClaimDecision {
  if (answer === 'same') return 'claimed';
  if (answer === 'settled') return digest === step.digest ? 'completed' : 'diverged';
  return answer;
}
