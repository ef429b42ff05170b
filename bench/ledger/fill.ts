import pg from 'pg';
import { migrateLedger } from '../../src/ledger/open-ledger.ts';

/** Turns of each scope, of a model step and a tool step each. */
export const TURNS = 5;
const STEPS_PER_SCOPE = 2 * TURNS;
/** Scopes of one statement. */
const AT_ONCE = 10_000;
/** How old the oldest scope is; the youngest is some seconds old. */
export const OLDEST_DAYS = 60;

/**
 * Recorded runs, as a worker leaves them: five turns, each with one tool call. Scopes are IDs of
 * executions, which begin with the time; one in fifty has had a question, one
 * in fifty shares. One in ten has followed another one, whose scope is retired.
 */
const FILL = `
WITH scopes AS MATERIALIZED (
  SELECT g, age, clock_timestamp() - age AS born, UUID AS scope, 'agent-support-req-' || g AS workflow_id
  FROM generate_series($1::int, $2::int) AS g,
    LATERAL (SELECT ($3::int - g + 1) * ($4::double precision / $3::int) * interval '1 day' AS age) AS old
), steps AS (
  INSERT INTO agent_once.steps (
    scope, step, turn, kind, name, effect, digest, state, answer, fence, nonce, attempts, run_attempts,
    request, result, result_bytes, input_tokens, output_tokens, cost_usd, workflow_id, run_id, worker,
    created_at, claimed_at, ended_at, ledger, lease, shared_with
  )
  SELECT s.scope, 't' || turn || kind.step, turn, kind.kind, kind.name, kind.effect,
    repeat(md5(s.g || 'd' || turn), 2), 'completed', 'recorded', 1, gen_random_uuid(), 1, 1,
    kind.request, content.text, octet_length(content.text), kind.tokens, kind.tokens / 10,
    kind.tokens / 1e6, s.workflow_id, s.scope, '4711@worker-1',
    s.born + turn * interval '1 second', s.born + turn * interval '1 second',
    s.born + (turn + 1) * interval '1 second', l.id, '00000000-0000-4000-8000-000000000000',
    CASE WHEN s.g % 50 = 1 AND turn = 2 THEN s.scope || ':t1' || kind.step END
  FROM scopes AS s, agent_once.ledger AS l, generate_series(1, ${TURNS}) AS turn,
    (VALUES
      ('.model', 'model', 'gpt-5.1', NULL, '[]'::bytea, 1200, 20),
      ('.c0', 'tool', 'read_order', 'read', '{"order":1042}'::bytea, NULL, 9)
    ) AS kind (step, kind, name, effect, request, tokens, length),
    LATERAL (
      SELECT convert_to('{"text":"' || repeat(md5(s.g || kind.kind || turn), kind.length) || '"}', 'UTF8')
        AS text
    ) AS content
), questions AS (
  INSERT INTO agent_once.questions
    (scope, step, kind, round, digest, valid_ms, workflow_id, run_id, asked_at, decision, decided_at)
  SELECT scope, 't1.c0', 'approval', 1, repeat(md5(g::text), 2), 86400000, workflow_id, scope, born,
    'approve', born
  FROM scopes WHERE g % 50 = 0
), retired AS (
  INSERT INTO agent_once.retired_scopes (scope)
  SELECT gen_random_uuid()::text FROM scopes WHERE g % 10 = 0
)
INSERT INTO agent_once.shares
  (name, scope, step, first_scope, first_step, first_seen, lease_until)
SELECT md5('share' || g), scope, 't1.c0', scope, 't1.c0', born, born FROM scopes WHERE g % 50 = 1`;

/** Makes a database beside the one at `url`, with the ledger's schema; resolves with its URL. */
export async function createLedger(url: string, database: string): Promise<string> {
  await withClient(url, (client) => client.query(`CREATE DATABASE ${database}`));
  const made = new URL(url);
  made.pathname = `/${database}`;
  await migrateLedger(made.href, []);
  return made.href;
}

/** Adds so many steps, spread over two months until now. */
export async function fillLedger(
  url: string,
  steps: number,
  tell: (line: string) => void,
): Promise<void> {
  const scopes = Math.ceil(steps / STEPS_PER_SCOPE);
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
    // Before 18 there are only random ones, which makes the index larger than it is with a run's ID.
    const uuid =
      Number(rows[0]?.server_version_num) >= 180_000 ? 'uuidv7(-age)' : 'gen_random_uuid()';
    const fill = FILL.replace('UUID AS', `${uuid}::text AS`);
    await client.query('SET synchronous_commit = off');
    for (let from = 1; from <= scopes; from += AT_ONCE) {
      const to = Math.min(from + AT_ONCE - 1, scopes);
      await client.query(fill, [from, to, scopes, OLDEST_DAYS]);
      if (from % (10 * AT_ONCE) === 1) tell(`Ledger: ${to * STEPS_PER_SCOPE} of ${steps} steps …`);
    }
    await client.query('VACUUM (ANALYZE)');
    await client.query('CHECKPOINT');
  });
}

/** A connection for as long as `work` takes. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
