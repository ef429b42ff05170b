import type { Decision, QuestionKind } from '../../contract/decision.ts';
import type { AskedQuestion, Question } from '../port.ts';
import type { Database } from './database.ts';

export const QUESTION_COLUMNS = `
  q.scope, q.step, q.kind, q.round, q.digest, q.fence, q.valid_ms, q.run_id, q.asked_at,
  q.decision, q.result_digest, q.decided_by, q.comment, q.decided_at`;

export interface QuestionRow {
  scope: string;
  step: string;
  kind: QuestionKind;
  round: number;
  digest: string;
  fence: string | null;
  valid_ms: number;
  run_id: string;
  asked_at: Date;
  decision: Decision | null;
  result_digest: string | null;
  decided_by: string | null;
  comment: string | null;
  decided_at: Date | null;
}

const LATEST = `
SELECT ${QUESTION_COLUMNS},
  q.decided_at + q.valid_ms * interval '1 millisecond' < clock_timestamp() AS used_up
FROM agent_once.questions AS q
WHERE q.scope = $1 AND q.step = $2 AND q.kind = $3
ORDER BY q.round DESC LIMIT 1`;

const ASK = `
INSERT INTO agent_once.questions AS q
  (scope, step, kind, round, digest, fence, valid_ms, workflow_id, run_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (scope, step, kind, round) DO NOTHING
RETURNING ${QUESTION_COLUMNS}`;

/** A resumed or reset run asks in its own name, with all the time to answer. */
const TAKE_OVER = `
UPDATE agent_once.questions AS q
SET workflow_id = $5, run_id = $6, asked_at = clock_timestamp()
WHERE q.scope = $1 AND q.step = $2 AND q.kind = $3 AND q.round = $4 AND q.decision IS NULL
RETURNING ${QUESTION_COLUMNS}`;

/** See `Ledger.ask`. Of two who ask at once, one asks and both see its question. */
export async function askQuestion(database: Database, question: Question): Promise<AskedQuestion> {
  const { scope, step, kind, digest, fence, validMs, workflowId, runId } = question;
  for (;;) {
    const [latest] = await database.query<QuestionRow & { used_up: boolean | null }>(LATEST, [
      scope,
      step,
      kind,
    ]);
    if (latest && stands(latest, question)) {
      if (latest.decision !== null || latest.run_id === runId) return toQuestion(latest);
      const values = [scope, step, kind, latest.round, workflowId, runId];
      const [taken] = await database.query<QuestionRow>(TAKE_OVER, values);
      if (taken) return toQuestion(taken);
      continue; // Answered a moment ago.
    }
    const round = (latest?.round ?? 0) + 1;
    const values = [scope, step, kind, round, digest, fence, validMs, workflowId, runId];
    const [asked] = await database.query<QuestionRow>(ASK, values);
    if (asked) return toQuestion(asked);
  }
}

/** Whether the latest question is this one, and its answer, if there is one, can be used. */
function stands(latest: QuestionRow & { used_up: boolean | null }, question: Question): boolean {
  if (latest.digest !== question.digest || latest.fence !== question.fence) return false;
  if (latest.decision === 'approve') return latest.used_up !== true;
  if (latest.decision === 'fail') return latest.run_id === question.runId;
  return true;
}

/** See `Ledger.questions`. */
export async function readQuestions(database: Database, scope: string): Promise<AskedQuestion[]> {
  const rows = await database.query<QuestionRow>(
    `SELECT ${QUESTION_COLUMNS} FROM agent_once.questions AS q
     WHERE q.scope = $1 ORDER BY q.asked_at, q.step, q.round`,
    [scope],
  );
  return rows.map(toQuestion);
}

function toQuestion(row: QuestionRow): AskedQuestion {
  return {
    scope: row.scope,
    step: row.step,
    kind: row.kind,
    round: row.round,
    askedAt: row.asked_at.toISOString(),
    runId: row.run_id,
    decision: row.decision,
    by: row.decided_by,
    comment: row.comment,
    decidedAt: row.decided_at?.toISOString() ?? null,
  };
}
