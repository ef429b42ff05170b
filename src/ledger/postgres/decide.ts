import type { PoolClient } from 'pg';
import {
  kindsAnsweredBy,
  type DecisionInput,
  type DecisionResult,
} from '../../contract/decision.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Hex } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { Database } from './database.ts';
import { codeOf, toLedgerError } from './database-error.ts';
import { encodePayload } from '../payload.ts';
import { QUESTION_COLUMNS, type QuestionRow } from './questions.ts';
import { BEGIN, settingsOfTransaction } from './session-settings.ts';

/** SQLSTATEs of values that a column cannot hold: sent again, they are refused again. */
const DATA_EXCEPTION = '22';

const QUESTION = `
SELECT ${QUESTION_COLUMNS} FROM agent_once.questions AS q
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

const ANSWER = `
UPDATE agent_once.questions
SET decision = $5, result_digest = $6, decided_by = $7, comment = $8,
    decided_at = clock_timestamp()
WHERE scope = $1 AND step = $2 AND kind = $3 AND round = $4
RETURNING decided_at`;

/** See `Ledger.decide`. */
export async function decideQuestion(
  database: Database,
  scope: string,
  answer: DecisionInput,
): Promise<DecisionResult> {
  const client = await database.connect();
  // A client that is checked out has no other listener: without one the process would end.
  const ignore = (): void => {};
  client.on('error', ignore);
  let reusable = false;
  try {
    await client.query(
      `RESET ALL; ${BEGIN};
       SET LOCAL idle_in_transaction_session_timeout = 5000;
       ${settingsOfTransaction({ statement_timeout: '10000' })}`,
    );
    const result = await decideIn(client, scope, answer);
    await client.query('COMMIT');
    reusable = true;
    return result;
  } catch (error) {
    throw codeOf(error)?.startsWith(DATA_EXCEPTION)
      ? new AgentOnceError(
          'decision.invalid',
          'The ledger cannot keep this decision: a part of it is no value that PostgreSQL has. Nothing was decided.',
          { cause: error },
        )
      : toLedgerError(error, database.where);
  } finally {
    client.off('error', ignore);
    client.release(!reusable);
  }
}

async function decideIn(
  client: PoolClient,
  scope: string,
  answer: DecisionInput,
): Promise<DecisionResult> {
  const { step, round, decision, by, comment } = answer;
  const found = await client.query<QuestionRow>(QUESTION, [
    scope,
    step,
    round ?? null,
    kindsAnsweredBy(decision),
  ]);
  const [question] = found.rows;
  if (!question) {
    return { outcome: 'none', decision: null, by: null, decidedAt: null };
  }

  const resultDigest = answer.result === undefined ? null : sha256Hex(canonicalJson(answer.result));
  if (question.decision !== null) {
    const same = question.decision === decision && question.result_digest === resultDigest;
    return standing(question, same ? 'repeated' : 'conflict');
  }
  if (question.kind === 'outcome' && !(await settle(client, question, answer))) {
    return standing(question, 'settled');
  }
  const { rows } = await client.query<{ decided_at: Date }>(ANSWER, [
    scope,
    step,
    question.kind,
    question.round,
    decision,
    resultDigest,
    by,
    comment ?? null,
  ]);
  return {
    outcome: 'recorded',
    decision,
    by,
    decidedAt: rows[0]?.decided_at.toISOString() ?? null,
  };
}

/** Makes of the step what the answer says; `false` where its outcome is known by now. */
async function settle(
  client: PoolClient,
  { scope, step, fence }: QuestionRow,
  { decision, result, by }: DecisionInput,
): Promise<boolean> {
  const attempt = [scope, step, fence];
  if (decision === 'happened') {
    const { data, bytes } = await encodePayload(result ?? null);
    return changed(await client.query(HAPPENED, [...attempt, data, bytes]));
  }
  if (decision === 'did-not-happen') {
    const message = `${by} said that this attempt had no effect.`;
    const error = JSON.stringify([{ code: 'step.did_not_happen', message }]);
    return changed(await client.query(DID_NOT_HAPPEN, [...attempt, error]));
  }
  return changed(await client.query(STILL_UNKNOWN, attempt));
}

function changed({ rowCount }: { rowCount: number | null }): boolean {
  return rowCount !== null && rowCount > 0;
}

function standing(question: QuestionRow, outcome: DecisionResult['outcome']): DecisionResult {
  return {
    outcome,
    decision: question.decision,
    by: question.decided_by,
    decidedAt: question.decided_at?.toISOString() ?? null,
  };
}
