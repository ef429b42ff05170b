import { removeInParts, type Home, type LedgerCleaner, type Removed } from '../cleaner.ts';
import type { Database } from './database.ts';

const REGISTER = `
INSERT INTO agent_once.homes (id, name) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen_at = clock_timestamp()`;

const OTHER_HOMES = `
SELECT h.id, h.name FROM agent_once.homes AS h WHERE h.id <> $1 ORDER BY h.seen_at DESC`;

/**
 * Scopes by the age of their first step. The time is the statement's, not the clock's: an index can
 * be searched for it.
 */
const OLD_SCOPES = `
WITH page AS (
  SELECT f.scope, f.created_at
  FROM agent_once.steps AS f
  WHERE f.step = 't1.model'
    AND f.created_at < statement_timestamp() - $1::double precision * interval '1 millisecond'
    AND (f.created_at, f.scope) > ($2::timestamptz, $3::text)
  ORDER BY f.created_at, f.scope
  LIMIT $4
)
SELECT page.scope,
  to_char(page.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
  greatest(activity.newest, sharing.newest) < statement_timestamp() - $1::double precision * interval '1 millisecond' AS old,
  activity.executions
FROM page,
  LATERAL (
    SELECT max(a.at) AS newest,
           jsonb_agg(DISTINCT jsonb_build_array(a.workflow_id, a.run_id)) AS executions
    FROM (
      SELECT s.workflow_id, s.run_id,
             greatest(s.created_at, s.claimed_at, s.ended_at, s.lease_until) AS at
      FROM agent_once.steps AS s WHERE s.scope = page.scope
      UNION ALL
      SELECT q.workflow_id, q.run_id, greatest(q.asked_at, q.decided_at)
      FROM agent_once.questions AS q WHERE q.scope = page.scope
    ) AS a
  ) AS activity,
  LATERAL (
    SELECT max(h.first_seen) AS newest FROM agent_once.shares AS h WHERE h.scope = page.scope
  ) AS sharing
ORDER BY page.created_at, page.scope`;

const MARK = `
INSERT INTO agent_once.retired_scopes (scope, provisional)
SELECT scope, true FROM unnest($1::text[]) AS scope ORDER BY scope
ON CONFLICT (scope) DO NOTHING`;

const UNMARK = `
DELETE FROM agent_once.retired_scopes
WHERE scope = ANY ($1::text[]) AND provisional
RETURNING scope`;

/** Of processes that are gone: whatever they have left is takeable without their lease, too. */
const FORGET_LEASES = `
DELETE FROM agent_once.worker_leases WHERE deadline < statement_timestamp() - interval '1 day'`;

/** Rows of one statement: a transaction must not last. */
const STEPS_AT_ONCE = 500;

/**
 * Deletes under the mark's lock: one that is taken back at this moment saves the rows. From the
 * first deletion on the mark is final. The first step goes last: a scope of which it is left is
 * found again.
 */
const REMOVE = `
WITH mark AS (
  UPDATE agent_once.retired_scopes SET provisional = false WHERE scope = $1 RETURNING scope
), removed_steps AS (
  DELETE FROM agent_once.steps AS s USING mark
  WHERE s.scope = mark.scope AND s.step IN (
    SELECT o.step FROM agent_once.steps AS o WHERE o.scope = $1
    ORDER BY o.step = 't1.model', o.step LIMIT ${STEPS_AT_ONCE}
  )
  RETURNING coalesce(octet_length(s.request), 0) + coalesce(octet_length(s.result), 0)
    + coalesce(octet_length(s.asked_request), 0) AS bytes
), removed_questions AS (
  DELETE FROM agent_once.questions AS q USING mark WHERE q.scope = mark.scope RETURNING 1
), removed_shares AS (
  DELETE FROM agent_once.shares AS h USING mark WHERE h.scope = mark.scope RETURNING 1
)
SELECT
  (SELECT count(*) FROM removed_steps)::int AS steps,
  (SELECT count(*) FROM removed_questions)::int AS questions,
  (SELECT count(*) FROM removed_shares)::int AS shares,
  (SELECT coalesce(sum(bytes), 0) FROM removed_steps)::double precision AS bytes`;

interface OldScopeRow {
  scope: string;
  created_at: string;
  old: boolean;
  executions: [workflowId: string, runId: string][];
}

/** Ages are the database's. */
/** Before every scope's time and name. */
const BEGINNING: [createdAt: string, scope: string] = ['-infinity', ''];

export function postgresCleaner(database: Database): LedgerCleaner {
  return {
    async register({ id, name }) {
      await database.query(REGISTER, [id, name]);
      return database.query<Home>(OTHER_HOMES, [id]);
    },
    async oldScopes({ olderThanMs, after, limit }) {
      if (after === null) await database.query(FORGET_LEASES);
      // No case apart for the first page: a plan that serves both would read all pages before one.
      const from = after === null ? BEGINNING : (JSON.parse(after) as [string, string]);
      const values = [olderThanMs, ...from, limit];
      const rows = await database.query<OldScopeRow>(OLD_SCOPES, values);
      const scopes = rows.map(({ scope, created_at, old, executions }) => ({
        scope,
        old,
        cursor: JSON.stringify([created_at, scope]),
        executions: executions.map(([workflowId, runId]) => ({ workflowId, runId })),
      }));
      return {
        scopes: scopes.filter(({ old }) => old),
        next: rows.length < limit ? null : (scopes.at(-1)?.cursor ?? null),
      };
    },
    async mark(scopes) {
      await database.query(MARK, [scopes]);
    },
    async unmark(scopes) {
      const rows = await database.query<{ scope: string }>(UNMARK, [scopes]);
      return rows.map((row) => row.scope);
    },
    remove: (scope) =>
      removeInParts(STEPS_AT_ONCE, async () => {
        const [removed] = await database.query<Removed>(REMOVE, [scope]);
        return removed;
      }),
  };
}
