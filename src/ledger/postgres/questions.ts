import type { AskedQuestion, Ledger } from '../port.ts';
import type { Database } from './database.ts';
import { readRows } from './records.ts';

/** A question as the port has it. */
export const COLUMNS = `
  q.scope, q.step, q.kind, q.round, q.asked_at, q.run_id, q.decision, q.decided_by AS by, q.comment,
  q.decided_at, CASE WHEN q.kind = 'approval' THEN q.result_digest END AS approved_digest`;

/**
 * With whether it asks the same, or was answered so, and its answer, if there is one, can be used.
 */
const LATEST = `
SELECT ${COLUMNS},
  (q.digest = $4 OR (q.kind = 'approval' AND q.result_digest = $4))
    AND q.fence IS NOT DISTINCT FROM $5 AND CASE q.decision
    WHEN 'approve'
      THEN q.decided_at + q.valid_ms * interval '1 millisecond' >= clock_timestamp()
    WHEN 'fail' THEN q.run_id = $6
    ELSE true
  END AS stands
FROM agent_once.questions AS q
WHERE q.scope = $1 AND q.step = $2 AND q.kind = $3
ORDER BY q.round DESC LIMIT 1`;

const ASK = `
INSERT INTO agent_once.questions AS q
  (scope, step, kind, round, digest, fence, valid_ms, workflow_id, run_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (scope, step, kind, round) DO NOTHING
RETURNING ${COLUMNS}`;

/** A resumed or reset run asks in its own name, with all the time to answer. */
const TAKE_OVER = `
UPDATE agent_once.questions AS q
SET workflow_id = $5, run_id = $6, asked_at = clock_timestamp()
WHERE q.scope = $1 AND q.step = $2 AND q.kind = $3 AND q.round = $4 AND q.decision IS NULL
RETURNING ${COLUMNS}`;

const QUESTIONS = `
SELECT ${COLUMNS} FROM agent_once.questions AS q
WHERE q.scope = $1 ORDER BY q.asked_at, q.step, q.round`;

interface Latest extends AskedQuestion {
  stands: boolean;
}

export function questions(database: Database): Pick<Ledger, 'ask' | 'questions'> {
  return {
    /** Of two who ask at once, one asks and both see its question. */
    async ask({ scope, step, kind, digest, fence, validMs, workflowId, runId }) {
      const of = [scope, step, kind];
      for (;;) {
        const same = [...of, digest, fence, runId];
        const [latest] = await readRows<Latest>(database, LATEST, same);
        if (latest?.stands) {
          const { stands: _stands, ...standing } = latest;
          if (latest.decision !== null || latest.runId === runId) return standing;
          const values = [...of, latest.round, workflowId, runId];
          const [taken] = await readRows<AskedQuestion>(database, TAKE_OVER, values);
          if (taken) return taken;
          continue; // Answered a moment ago.
        }
        const values = [...of, (latest?.round ?? 0) + 1, digest, fence, validMs, workflowId, runId];
        const [asked] = await readRows<AskedQuestion>(database, ASK, values);
        if (asked) return asked;
      }
    },
    questions: (scope) => readRows(database, QUESTIONS, [scope]),
  };
}
