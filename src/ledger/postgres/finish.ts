import type { StepUsage } from '../../contract/step.ts';
import { encodePayload } from '../payload.ts';
import type { Claim, Completion, Ledger, Recorded, StepError } from '../port.ts';
import { keptError } from '../step-errors.ts';
import type { Database } from './database.ts';

/**
 * The completion, with the calls it plans, checks the fence in its own UPDATE. It updates a row
 * that it completed before as well, to itself, and so waits for a twin that is not yet committed
 * instead of reading past it. `$9` is `null`, or the mark of the transaction that it must be in.
 */
const COMPLETE = `
WITH here AS (
  SELECT $9::text IS NULL OR current_setting('agent_once.transaction', true) = $9 AS ok
), done AS (
  UPDATE agent_once.steps AS s
  SET (
    state, answer, result, result_bytes, input_tokens, output_tokens, cost_usd, known_by,
    shared_with, lease_until, ended_at
  ) = (
    SELECT 'completed', n.*
    FROM (
      SELECT CASE s.state WHEN 'unknown' THEN 'settled' ELSE 'recorded' END,
             $4::bytea, $5::int,
             agent_once.tokens_by_now(s.unusable_answers, s.input_tokens, $6),
             agent_once.tokens_by_now(s.unusable_answers, s.output_tokens, $7),
             agent_once.cost_by_now(s.unusable_answers, s.cost_usd, $8), $16::text,
             $17::text, NULL::timestamptz, clock_timestamp()
      WHERE s.state IN ('claimed', 'unknown')
      UNION ALL
      SELECT CASE s.answer WHEN 'settled' THEN 'settled' ELSE 'recorded' END,
             s.result, s.result_bytes, s.input_tokens, s.output_tokens, s.cost_usd,
             s.known_by, s.shared_with, s.lease_until, s.ended_at
      WHERE s.state = 'completed'
    ) AS n
  )
  FROM here
  WHERE here.ok AND s.scope = $1 AND s.step = $2 AND s.fence = $3
    AND s.state IN ('claimed', 'unknown', 'completed') AND s.known_by IS DISTINCT FROM 'person'
  RETURNING s.scope, s.workflow_id, s.run_id, s.answer
), planned AS (
  INSERT INTO agent_once.steps (
    scope, step, turn, kind, name, effect, digest, state, request, workflow_id, run_id
  )
  SELECT done.scope, p.step, p.turn, 'tool', p.name, p.effect, p.digest, 'planned', p.request,
         done.workflow_id, done.run_id
  FROM done, unnest($10::text[], $11::int[], $12::text[], $13::text[], $14::text[], $15::bytea[])
    AS p (step, turn, name, effect, digest, request)
  ON CONFLICT (scope, step) DO NOTHING
)
SELECT (SELECT ok FROM here) AS here, (SELECT answer FROM done) AS answer`;

const FAIL = `
UPDATE agent_once.steps AS s
SET (
  state, asking, errors, lease_until, ended_at, run_attempts, round, unusable_answers,
  input_tokens, output_tokens, cost_usd
) = (
  SELECT 'failed',
         CASE s.state WHEN 'failed' THEN s.asking ELSE coalesce($10::jsonb, s.asking) END, n.*
  FROM (
    SELECT CASE WHEN $11::boolean AND s.errors -> -1 ->> 'code' = $4::jsonb -> 0 ->> 'code'
             THEN s.errors ELSE agent_once.kept_errors(s.errors || $4::jsonb) END,
           NULL::timestamptz, clock_timestamp(),
           CASE WHEN $5::boolean THEN s.run_attempts ELSE greatest(s.run_attempts - 1, 0) END,
           used.*
    FROM (
      SELECT s.round, s.unusable_answers, s.input_tokens, s.output_tokens, s.cost_usd
      WHERE $6::int IS NULL
      UNION ALL
      -- A whole answer was read: the next request is one round further.
      SELECT greatest(s.round, $6) + 1, s.unusable_answers + 1,
             agent_once.tokens_by_now(s.unusable_answers, s.input_tokens, $7),
             agent_once.tokens_by_now(s.unusable_answers, s.output_tokens, $8),
             agent_once.cost_by_now(s.unusable_answers, s.cost_usd, $9)
      WHERE $6::int IS NOT NULL
    ) AS used
    WHERE s.state IN ('claimed', 'unknown')
    UNION ALL
    SELECT s.errors, s.lease_until, s.ended_at, s.run_attempts,
           s.round, s.unusable_answers, s.input_tokens, s.output_tokens, s.cost_usd
    WHERE s.state = 'failed'
  ) AS n
)
WHERE s.scope = $1 AND s.step = $2 AND s.fence = $3 AND s.state IN ('claimed', 'unknown', 'failed')
RETURNING s.state`;

const KEEP_ASKING = `
UPDATE agent_once.steps AS s SET asking = $4::jsonb
WHERE s.scope = $1 AND s.step = $2 AND s.fence = $3 AND s.state = 'claimed'
RETURNING s.state`;

/** The attempt's error is kept once, also where somebody has found its lease over meanwhile. */
const END_UNKNOWN = `
UPDATE agent_once.steps AS s
SET state = 'unknown',
    errors = CASE WHEN s.ended_at IS NULL
      THEN agent_once.kept_errors(s.errors || $4::jsonb) ELSE s.errors END,
    unknown_attempts = s.unknown_attempts + CASE s.state WHEN 'claimed' THEN 1 ELSE 0 END,
    lease_until = NULL,
    ended_at = coalesce(s.ended_at, clock_timestamp())
WHERE s.scope = $1 AND s.step = $2 AND s.fence = $3 AND s.state IN ('claimed', 'unknown')
RETURNING s.state`;

const NOTE = `
UPDATE agent_once.steps AS s
SET errors = agent_once.kept_errors(s.errors || $3::jsonb)
WHERE s.scope = $1 AND s.step = $2`;

/** `here`: in the marked transaction; `answer`: `null` unless recorded under this fence. */
export interface CompleteRow {
  here: boolean;
  answer: Recorded | null;
}

/** @param transaction the mark that `transactStep` set in its transaction */
export async function completeStatement(
  claim: Claim,
  completion: Completion,
  transaction: string | null = null,
): Promise<{ text: string; values: unknown[] }> {
  const { usage, knownBy, sharedWith, planned = [] } = completion;
  const { data, bytes } = await encodePayload(completion.result);
  const requests = await Promise.all(planned.map((call) => encodePayload(call.request)));
  const calls = [
    planned.map((call) => call.step),
    planned.map((call) => call.turn),
    planned.map((call) => call.tool),
    planned.map((call) => call.effect),
    planned.map((call) => call.digest),
    requests.map((request) => request.data),
  ];
  const result = [data, bytes, ...numbersOf(usage)];
  const values = [...idOf(claim), ...result, transaction, ...calls, knownBy, sharedWith];
  return { text: COMPLETE, values };
}

export function endings(
  database: Database,
): Pick<Ledger, 'keepAsking' | 'complete' | 'fail' | 'endUnknown' | 'note'> {
  const changes = async (statement: string, values: unknown[]): Promise<boolean> =>
    (await database.query(statement, values)).length > 0;
  return {
    keepAsking: (claim, asking) => changes(KEEP_ASKING, [...idOf(claim), JSON.stringify(asking)]),
    async complete(claim, completion) {
      const { text, values } = await completeStatement(claim, completion);
      const [row] = await database.query<CompleteRow>(text, values);
      return row?.answer ?? 'lost';
    },
    fail(claim, error, { counted = true, once = false, answered, asking } = {}) {
      const used = numbersOf(answered?.usage);
      const next = asking && JSON.stringify(asking);
      const how = [counted, answered?.round, ...used, next, once];
      return changes(FAIL, [...idOf(claim), toJsonb(error), ...how]);
    },
    endUnknown: (claim, error) => changes(END_UNKNOWN, [...idOf(claim), toJsonb(error)]),
    async note(scope, step, error) {
      await database.query(NOTE, [scope, step, toJsonb(error)]);
    },
  };
}

function toJsonb(error: StepError): string {
  return JSON.stringify([keptError(error)]);
}

function idOf({ scope, step, fence }: Claim): unknown[] {
  return [scope, step, fence];
}

function numbersOf(usage: StepUsage | null | undefined): unknown[] {
  return [usage?.inputTokens, usage?.outputTokens, usage?.costUsd];
}
