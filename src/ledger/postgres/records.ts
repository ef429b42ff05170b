import type { Effect } from '../../contract/step.ts';
import type {
  EarlierStep,
  RecordedKnowledge,
  RecordedStep,
  StepError,
  StepRecord,
  StepState,
} from '../port.ts';
import type { Database } from './database.ts';
import { decodePayload } from '../payload.ts';
import type { UsageColumns } from '../spent.ts';

/** Columns of a `StepRow`, for `SELECT` and `RETURNING` on `agent_once.steps AS s`. */
export const RECORD_COLUMNS = `
  s.scope, s.step, s.turn, s.kind, s.name, s.effect, s.digest, s.state, s.request, s.result,
  s.result_bytes, s.known_by, s.shared_with, s.fence, s.attempts,
  s.unknown_attempts, s.round, s.unusable_answers, s.errors,
  s.input_tokens, s.output_tokens, s.cost_usd, s.workflow_id, s.run_id, s.worker, s.claimed_at, s.ended_at`;

/** A row as `pg` reads it: `bigint` arrives as text. */
export interface StepRow {
  scope: string;
  step: string;
  turn: number;
  kind: 'model' | 'tool';
  name: string;
  effect: Effect | null;
  digest: string;
  state: StepState;
  request: Buffer | null;
  result: Buffer | null;
  result_bytes: number | null;
  known_by: RecordedKnowledge | null;
  shared_with: string | null;
  fence: string;
  attempts: number;
  unknown_attempts: number;
  round: number;
  unusable_answers: number;
  errors: StepError[];
  input_tokens: string | null;
  output_tokens: string | null;
  cost_usd: number | null;
  workflow_id: string;
  run_id: string;
  worker: string | null;
  claimed_at: Date | null;
  ended_at: Date | null;
}

export async function toRecord(row: StepRow): Promise<StepRecord> {
  return {
    scope: row.scope,
    step: row.step,
    turn: row.turn,
    kind: row.kind,
    name: row.name,
    effect: row.effect,
    digest: row.digest,
    state: row.state,
    request: row.request && (await decodePayload(row.request)),
    ...(await toRecorded(row)),
    fence: row.fence,
    round: row.round,
    unusableAnswers: row.unusable_answers,
    errors: row.errors,
    workflowId: row.workflow_id,
    runId: row.run_id,
    worker: row.worker,
    claimedAt: row.claimed_at && row.claimed_at.toISOString(),
    endedAt: row.ended_at && row.ended_at.toISOString(),
  };
}

type RecordedRow = Pick<
  StepRow,
  | 'result'
  | 'result_bytes'
  | 'known_by'
  | 'shared_with'
  | 'attempts'
  | 'unknown_attempts'
  | 'input_tokens'
  | 'output_tokens'
  | 'cost_usd'
>;

export async function toRecorded(row: RecordedRow): Promise<RecordedStep> {
  return {
    result: row.result && (await decodePayload(row.result)),
    resultBytes: row.result_bytes,
    knownBy: row.known_by,
    sharedWith: row.shared_with,
    attempts: row.attempts,
    unknownAttempts: row.unknown_attempts,
    ...usageOf(row),
  };
}

export function usageOf(
  row: Pick<StepRow, 'input_tokens' | 'output_tokens' | 'cost_usd'>,
): UsageColumns {
  return {
    inputTokens: row.input_tokens === null ? null : Number(row.input_tokens),
    outputTokens: row.output_tokens === null ? null : Number(row.output_tokens),
    costUsd: row.cost_usd,
  };
}

export async function readStep(
  database: Database,
  scope: string,
  step: string,
): Promise<StepRecord | undefined> {
  const [row] = await database.query<StepRow>(
    `SELECT ${RECORD_COLUMNS} FROM agent_once.steps AS s WHERE s.scope = $1 AND s.step = $2`,
    [scope, step],
  );
  return row && toRecord(row);
}

/** By turn; the model's step before its calls, and those by their number: c9 before c10. */
const IN_ORDER = `ORDER BY s.turn, s.kind <> 'model', length(s.step), s.step COLLATE "C"`;

export async function readSteps(database: Database, scope: string): Promise<StepRecord[]> {
  const rows = await database.query<StepRow>(
    `SELECT ${RECORD_COLUMNS} FROM agent_once.steps AS s WHERE s.scope = $1 ${IN_ORDER}`,
    [scope],
  );
  return Promise.all(rows.map(toRecord));
}

type EarlierRow = Pick<StepRow, 'step' | 'state' | 'digest' | 'request' | 'result'>;

/** See `Ledger.earlier`. */
export async function readEarlier(
  database: Database,
  scope: string,
  beforeTurn: number,
): Promise<EarlierStep[]> {
  const rows = await database.query<EarlierRow>(
    `SELECT s.step, s.state, s.digest, s.request, s.result FROM agent_once.steps AS s
     WHERE s.scope = $1 AND s.turn < $2 ${IN_ORDER}`,
    [scope, beforeTurn],
  );
  return Promise.all(
    rows.map(async (row) => ({
      ...row,
      request: row.request && (await decodePayload(row.request)),
      result: row.result && (await decodePayload(row.result)),
    })),
  );
}
