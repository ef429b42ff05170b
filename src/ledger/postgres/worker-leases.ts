import type { Claim, LeaseNews, LeftStep, WorkerLeases } from '../port.ts';
import type { Database } from './database.ts';
import { readRows } from './records.ts';

/** For how long a lease holds after a renewal, in milliseconds: workers renew each second. */
const HOLDS_MS = 5_000;

/** Leases that are over, and that nobody has looked at three times, or within five seconds. */
const OVER = `deadline BETWEEN clock_timestamp() - interval '10 minutes' AND clock_timestamp()
  AND missed < 3 AND (missed_at IS NULL OR missed_at < clock_timestamp() - interval '5 seconds')`;

/** Waits for whoever takes a claim from it at this moment. */
const RENEW = `
INSERT INTO agent_once.worker_leases AS l (id, deadline)
VALUES ($1::uuid, clock_timestamp() + $2::double precision * interval '1 millisecond')
ON CONFLICT (id) DO UPDATE SET deadline = excluded.deadline, missed_at = NULL, missed = 0
RETURNING l.losses, l.cancelled, EXISTS (SELECT FROM agent_once.worker_leases WHERE ${OVER}) AS over`;

/** Claims that another worker has, or that were made takeable; one that is completed is its own. */
const LOST = `
SELECT h.place::int FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY
  AS h (scope, step, fence, place)
WHERE NOT EXISTS (
  SELECT 1 FROM agent_once.steps AS s
  WHERE s.scope = h.scope AND s.step = h.step AND s.fence = h.fence
    AND (s.state <> 'claimed' OR s.lease = $1::uuid))`;

/**
 * Steps of workers whose leases are over: those that are still claimed, and those that were recorded
 * so late that Temporal may not know. Each lease is looked at three times, five seconds apart, by one
 * worker at a time; what an attempt has held for longer than ten minutes is left to its heartbeat.
 */
const LEFT = `
WITH dead AS (
  SELECT id FROM agent_once.worker_leases WHERE ${OVER} FOR UPDATE SKIP LOCKED
), missed AS (
  UPDATE agent_once.worker_leases AS l SET missed = l.missed + 1, missed_at = clock_timestamp()
  FROM dead WHERE l.id = dead.id
  RETURNING l.id, l.deadline
)
SELECT s.workflow_id, s.run_id, s.activity_id
FROM missed JOIN agent_once.steps AS s
  ON s.lease = missed.id AND s.claimed_at > missed.deadline - interval '10 minutes'
WHERE s.activity_id IS NOT NULL
  AND (s.state = 'claimed' OR s.ended_at > missed.deadline - interval '8 seconds')`;

const CANCEL = `
UPDATE agent_once.worker_leases AS l
SET cancelled = (array_append(l.cancelled, $2))[greatest(1, cardinality(l.cancelled) - 98):]
WHERE $2 <> ALL (l.cancelled) AND l.id IN (
  SELECT s.lease FROM agent_once.steps AS s
  WHERE s.scope = $1 AND s.run_id = $2 AND s.state = 'claimed')`;

const END = `
UPDATE agent_once.worker_leases SET deadline = clock_timestamp()
WHERE id = $1::uuid AND deadline > clock_timestamp()`;

/**
 * Makes one step of a lease that is over takeable, and says so in the lease: its worker, which may be
 * alive after all, stops that step alone. The lease's row is locked against a renewal first. A step
 * whose row is locked, as by a commit that is stuck, is left: nobody waits for it, nor does the renewal.
 */
const RELEASE = `
WITH over AS (
  INSERT INTO agent_once.worker_leases AS l (id, deadline, losses)
  VALUES ($4::uuid, 'epoch', 1)
  ON CONFLICT (id) DO UPDATE SET losses = l.losses + 1 WHERE l.deadline <= clock_timestamp()
  RETURNING l.id
), held AS (
  SELECT s.scope, s.step FROM agent_once.steps AS s, over
  WHERE s.scope = $1 AND s.step = $2 AND s.fence = $3 AND s.state = 'claimed' AND s.lease = over.id
  FOR UPDATE OF s SKIP LOCKED
)
UPDATE agent_once.steps AS s SET lease = NULL, lease_until = clock_timestamp()
FROM held WHERE s.scope = held.scope AND s.step = held.step
RETURNING s.step`;

/** @returns `false`: the lease was renewed, or the step is somebody else's by now */
export async function releaseFrom(
  database: Database,
  lease: string,
  { scope, step, fence }: Pick<Claim, 'scope' | 'step' | 'fence'>,
): Promise<boolean> {
  return (await database.query(RELEASE, [scope, step, fence, lease])).length > 0;
}

/** @param own a connection of its own: renewals must not wait for what steps do */
export function workerLeases(own: Database): WorkerLeases {
  return {
    async renew(id, holdsMs = HOLDS_MS) {
      const [row] = await own.query<LeaseNews>(RENEW, [id, holdsMs]);
      return row ?? { losses: '0', cancelled: [], over: false };
    },
    async lost(id, claims) {
      const rows = await own.query<{ place: number }>(LOST, [
        id,
        claims.map(({ scope }) => scope),
        claims.map(({ step }) => step),
        claims.map(({ fence }) => fence),
      ]);
      return rows.flatMap(({ place }) => claims[place - 1] ?? []);
    },
    left: () => readRows<LeftStep>(own, LEFT),
    async cancel(scope, runId) {
      await own.query(CANCEL, [scope, runId]);
    },
    async end(id) {
      await own.query(END, [id]);
    },
  };
}
