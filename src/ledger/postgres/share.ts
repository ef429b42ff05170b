import type { ShareAnswer, ShareRequest } from '../port.ts';
import type { Database } from './database.ts';

/**
 * Enters the asker as the owner of a new share, or reads the share and its owner's step as one
 * snapshot has them. Neither, when somebody else is entering it at this moment.
 */
const LOOK = `
WITH added AS (
  INSERT INTO agent_once.shares
    (name, scope, step, first_scope, first_step, first_seen, lease_until)
  VALUES ($1, $2, $3, $2, $3, clock_timestamp(),
          clock_timestamp() + $5::double precision * interval '1 millisecond')
  ON CONFLICT (name) DO NOTHING
  RETURNING scope, step, first_scope, first_step, version, round
)
SELECT scope, step, first_scope, first_step, version, round, 'mine' AS answer FROM added
UNION ALL
SELECT h.scope, h.step, h.first_scope, h.first_step, h.version,
  greatest(h.round, coalesce(s.round, 0)),
  CASE
    WHEN h.scope = $2 AND h.step = $3 THEN 'take'
    WHEN s.state = 'completed' AND $4::double precision > 0
      AND h.first_seen + $4::double precision * interval '1 millisecond' > clock_timestamp()
      THEN 'theirs'
    WHEN s.state = 'completed' THEN 'begin'
    WHEN r.scope IS NOT NULL THEN 'take'
    WHEN s.state = 'unknown' THEN 'theirs'
    WHEN s.state = 'claimed'
      AND (agent_once.held_until(s.lease_until, s.lease) > clock_timestamp() OR s.effect = 'at-most-once')
      THEN 'theirs'
    WHEN s.state = 'planned' AND h.lease_until > clock_timestamp() THEN 'theirs'
    ELSE 'take'
  END
FROM agent_once.shares AS h
LEFT JOIN agent_once.steps AS s ON s.scope = h.scope AND s.step = h.step
LEFT JOIN agent_once.retired_scopes AS r ON r.scope = h.scope
WHERE h.name = $1`;

/** Only what was seen is taken over: an owner that comes back in between counts the version up. */
const TAKE = `
UPDATE agent_once.shares AS h
SET first_seen = CASE WHEN h.scope = $2 AND h.step = $3 THEN h.first_seen
                      ELSE clock_timestamp() END,
    first_scope = CASE WHEN $6::boolean THEN $2 ELSE h.first_scope END,
    first_step = CASE WHEN $6::boolean THEN $3 ELSE h.first_step END,
    scope = $2, step = $3, version = h.version + 1,
    round = CASE WHEN $6::boolean THEN 0 ELSE $7::int END,
    lease_until = clock_timestamp() + $4::double precision * interval '1 millisecond'
WHERE h.name = $1 AND h.version = $5
RETURNING h.scope, h.step, h.first_scope, h.first_step, h.round`;

interface ShareRow {
  scope: string;
  step: string;
  first_scope: string;
  first_step: string;
  round: number;
  version: string;
  /** `begin`: the owner is done with it, and its result is too old. */
  answer: 'mine' | 'theirs' | 'take' | 'begin';
}

/** One round trip, two to take over; more only while others do so. */
export async function shareStep(database: Database, request: ShareRequest): Promise<ShareAnswer> {
  const { name, scope, step, windowMs, leaseMs } = request;
  for (;;) {
    const [row] = await database.query<ShareRow>(LOOK, [name, scope, step, windowMs, leaseMs]);
    if (row === undefined) continue;
    const { version, round, answer } = row;
    if (answer === 'mine' || answer === 'theirs') return toAnswer(row, answer === 'mine');
    const values = [name, scope, step, leaseMs, version, answer === 'begin', round];
    const [taken] = await database.query<ShareRow>(TAKE, values);
    if (taken !== undefined) return toAnswer(taken, true);
  }
}

function toAnswer(row: ShareRow, mine: boolean): ShareAnswer {
  return {
    mine,
    owner: { scope: row.scope, step: row.step },
    first: { scope: row.first_scope, step: row.first_step },
    round: row.round,
  };
}
