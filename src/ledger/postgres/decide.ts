import type { PoolClient } from 'pg';
import { kindsAnsweredBy, type DecisionResult } from '../../contract/decision.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import { encodePayload, sealing } from '../payload.ts';
import type { AskedQuestion, LedgerAnswer } from '../port.ts';
import { alreadyBegun } from '../ledger-errors.ts';
import { didNotHappen } from '../step-errors.ts';
import type { Database } from './database.ts';
import { codeOf } from './database-error.ts';
import { BEGIN, settingsOfTransaction } from './session-settings.ts';

/** SQLSTATEs of values that a column cannot hold: sent again, they are refused again. */
const DATA_EXCEPTION = '22';

interface QuestionRow extends Pick<AskedQuestion, 'kind' | 'round' | 'decision' | 'by'> {
  fence: string | null;
  digest: string;
  result_digest: string | null;
  decided_at: Date | null;
}

const QUESTION = `
SELECT q.kind, q.round, q.fence, q.digest, q.decision, q.result_digest, q.decided_by AS by, q.decided_at
FROM agent_once.questions AS q
WHERE q.scope = $1 AND q.step = $2 AND ($3::int IS NULL OR q.round = $3) AND q.kind = ANY ($4)
ORDER BY q.asked_at DESC, q.round DESC LIMIT 1 FOR UPDATE`;

/** Only a step that is still in the outcome unknown of the attempt that was asked about. */
const HAPPENED = `
UPDATE agent_once.steps
SET state = 'completed', known_by = 'person', result = $4, result_bytes = $5, lease_until = NULL,
    ended_at = clock_timestamp()
WHERE scope = $1 AND step = $2 AND fence = $3 AND state = 'unknown'`;

const DID_NOT_HAPPEN = `
UPDATE agent_once.steps
SET state = 'failed', run_attempts = 0, lease_until = NULL, ended_at = clock_timestamp(),
    errors = agent_once.kept_errors(errors || $4::jsonb)
WHERE scope = $1 AND step = $2 AND fence = $3 AND state = 'unknown'`;

const STILL_UNKNOWN = `
SELECT 1 FROM agent_once.steps
WHERE scope = $1 AND step = $2 AND fence = $3 AND state = 'unknown' FOR UPDATE`;

/** Only a step of which no attempt was begun. One that gets back what was asked for is as it was. */
const EDIT = `
UPDATE agent_once.steps
SET digest = $4, request = $5, asked_digest = nullif(coalesce(asked_digest, digest), $4),
    asked_request = CASE WHEN asked_digest = $4 THEN NULL ELSE coalesce(asked_request, request) END
WHERE scope = $1 AND step = $2 AND digest = $3 AND state = 'planned' AND attempts = 0`;

const ANSWER = `
UPDATE agent_once.questions
SET decision = $5, result_digest = $6, decided_by = $7, comment = $8,
    decided_at = clock_timestamp()
WHERE scope = $1 AND step = $2 AND kind = $3 AND round = $4
RETURNING decision, decided_by AS by, decided_at`;

/** See `Ledger.decide`. */
export async function decideQuestion(
  database: Database,
  scope: string,
  answer: LedgerAnswer,
): Promise<DecisionResult> {
  const begin = `RESET ALL; ${BEGIN}; ${settingsOfTransaction({ statement_timeout: '10000' })}`;
  try {
    return await database.transaction(begin, (client) => decideIn(client, scope, answer));
  } catch (error) {
    if (!codeOf(error)?.startsWith(DATA_EXCEPTION)) throw database.translate(error);
    throw new AgentOnceError(
      'decision.invalid',
      'The ledger cannot keep this decision: a part of it is no value that PostgreSQL has. Nothing was decided.',
      { cause: error },
    );
  }
}

async function decideIn(
  client: PoolClient,
  scope: string,
  answer: LedgerAnswer,
): Promise<DecisionResult> {
  const { step, round, decision, result, by, comment } = answer;
  const asked = [scope, step, round ?? null, kindsAnsweredBy(decision)];
  const [question] = (await client.query<QuestionRow>(QUESTION, asked)).rows;
  if (!question) return { outcome: 'none', decision: null, by: null, decidedAt: null };

  const edited = answer.edited?.digest === question.digest ? undefined : answer.edited;
  const resultDigest =
    result === undefined ? (edited?.digest ?? null) : sha256Hex(canonicalJson(result));
  if (question.decision !== null) {
    const same = question.decision === decision && question.result_digest === resultDigest;
    return standing(question, same ? 'repeated' : 'conflict');
  }
  const attempt = [scope, step, question.fence];
  const settles = question.kind === 'outcome';
  if (settles && !(await settle(client, attempt, answer))) return standing(question, 'settled');
  if (edited) {
    const { data } = await encodePayload(edited.request);
    const values = [scope, step, question.digest, edited.digest, data];
    if ((await client.query(EDIT, values)).rowCount === 0) throw alreadyBegun(step);
  }
  const said = [
    decision,
    resultDigest,
    by,
    comment === undefined ? null : sealing.sealer().sealText(comment),
  ];
  const values = [scope, step, question.kind, question.round, ...said];
  const [answered] = (await client.query<QuestionRow>(ANSWER, values)).rows;
  return standing(answered ?? question, 'recorded');
}

/** Makes of the step what the answer says; `false` where its outcome is known by now. */
async function settle(
  client: PoolClient,
  attempt: readonly unknown[],
  { decision, result, by }: LedgerAnswer,
): Promise<boolean> {
  const change = async (statement: string, ...values: unknown[]): Promise<boolean> =>
    ((await client.query(statement, [...attempt, ...values])).rowCount ?? 0) > 0;
  if (decision === 'happened') {
    const { data, bytes } = await encodePayload(result ?? null);
    return change(HAPPENED, data, bytes);
  }
  return decision === 'did-not-happen'
    ? change(DID_NOT_HAPPEN, JSON.stringify([didNotHappen(by)]))
    : change(STILL_UNKNOWN);
}

function standing(
  { decision, by, decided_at }: QuestionRow,
  outcome: DecisionResult['outcome'],
): DecisionResult {
  return { outcome, decision, by, decidedAt: decided_at?.toISOString() ?? null };
}
