import type { QuestionKind } from '../../contract/decision.ts';
import type { Effect } from '../../contract/step.ts';
import { Database } from '../../ledger/postgres/database.ts';
import { COLUMNS } from '../../ledger/postgres/questions.ts';
import { readRows } from '../../ledger/postgres/records.ts';
import type { AskedQuestion } from '../../ledger/port.ts';
import type { StepState } from '../../ledger/records.ts';
import { HttpProblem } from '../service/problem.ts';

/** A page of a list, and where the next one begins; `undefined`: it was the last one. */
export interface ListPage<T> {
  items: T[];
  next: string | undefined;
}

/** A question that nobody has answered. The run may have ended since: only Temporal knows. */
export interface LedgerQuestion extends Pick<
  AskedQuestion,
  'step' | 'kind' | 'round' | 'askedAt' | 'runId'
> {
  workflowId: string;
  /** The tool; `null`: the step is gone. */
  name: string | null;
  /** Begins the page after it. */
  cursor: string;
}

/** A question that was answered, and what became of its step. */
export interface DecidedQuestion extends AskedQuestion {
  workflowId: string;
  /** Of the step; `null`: it is gone. */
  name: string | null;
  state: StepState | null;
  effect: Effect | null;
  attempts: number | null;
  knownBy: string | null;
  /** The last question about the step, which may be this one. */
  lastKind: QuestionKind;
  lastRound: number;
  lastDecision: AskedQuestion['decision'];
}

/** The lists of a tenant's questions, which a ledger in PostgreSQL has. */
export interface QuestionLists {
  /** The oldest first. `after`: `next` of the page before. */
  open(tenant: string, limit: number, after?: string): Promise<ListPage<LedgerQuestion>>;
  countOpen(tenant: string): Promise<number>;
  /** The latest answer first. */
  decided(tenant: string, limit: number, after?: string): Promise<ListPage<DecidedQuestion>>;
  close(): Promise<void>;
}

/** In the words of the indexes of `0013_lists_of_questions.sql`. */
const TENANT = `coalesce(substring(q.workflow_id from '^agent-([^.-]+)[.]'), 'default')`;

/** To the microsecond: answers that were recorded together may lie on two pages. */
function positionOf(time: string): string {
  return `json_build_array(to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    q.scope, q.step, q.kind, q.round)::text AS cursor`;
}

const OPEN = `
SELECT q.step, q.kind, q.round, q.asked_at, q.run_id, q.workflow_id, s.name, ${positionOf('q.asked_at')}
FROM agent_once.questions AS q
  LEFT JOIN agent_once.steps AS s ON s.scope = q.scope AND s.step = q.step
WHERE ${TENANT} = $1 AND q.decision IS NULL
  AND (q.asked_at, q.scope, q.step, q.kind, q.round) > ($3::timestamptz, $4, $5, $6, $7::int)
ORDER BY q.asked_at, q.scope, q.step, q.kind, q.round LIMIT $2`;

const COUNT_OPEN = `
SELECT count(*)::int AS open FROM agent_once.questions AS q
WHERE ${TENANT} = $1 AND q.decision IS NULL`;

const DECIDED = `
SELECT ${COLUMNS}, q.workflow_id, s.name, s.state, s.effect, s.attempts, s.known_by,
  last.kind AS last_kind, last.round AS last_round, last.decision AS last_decision,
  ${positionOf('q.decided_at')}
FROM agent_once.questions AS q
  LEFT JOIN agent_once.steps AS s ON s.scope = q.scope AND s.step = q.step
  CROSS JOIN LATERAL (
    SELECT l.kind, l.round, l.decision FROM agent_once.questions AS l
    WHERE l.scope = q.scope AND l.step = q.step
    ORDER BY l.asked_at DESC, l.round DESC LIMIT 1
  ) AS last
WHERE ${TENANT} = $1 AND q.decision IS NOT NULL
  AND (q.decided_at, q.scope, q.step, q.kind, q.round) < ($3::timestamptz, $4, $5, $6, $7::int)
ORDER BY q.decided_at DESC, q.scope DESC, q.step DESC, q.kind DESC, q.round DESC LIMIT $2`;

type Position = [at: string, scope: string, step: string, kind: string, round: number];

const START: Position = ['-infinity', '', '', '', 0];
const END: Position = ['infinity', '', '', '', 0];
/** A moment as `positionOf` writes it. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Opens the lists of a ledger; `undefined`: its backend has none. Close them when done. */
export function openQuestionLists(ledgerUrl: string): QuestionLists | undefined {
  if (!/^postgres(ql)?:/i.test(ledgerUrl)) return undefined;
  const database = new Database(ledgerUrl, { poolSize: 2, readOnly: true });
  const readPage = async <T>(
    text: string,
    tenant: string,
    limit: number,
    from: Position,
  ): Promise<ListPage<T>> => {
    // One more than is shown says whether there is a next page.
    const values = [tenant, limit + 1, ...from];
    const rows = await readRows<T & { cursor: string }>(database, text, values);
    const items = rows
      .slice(0, limit)
      .map((row) => ({ ...row, cursor: Buffer.from(row.cursor).toString('base64url') }));
    return { items, next: rows.length > limit ? items.at(-1)?.cursor : undefined };
  };
  return {
    open: (tenant, limit, after) =>
      readPage(OPEN, tenant, limit, after === undefined ? START : readCursor(after)),
    decided: (tenant, limit, after) =>
      readPage(DECIDED, tenant, limit, after === undefined ? END : readCursor(after)),
    async countOpen(tenant) {
      const [row] = await database.query<{ open: number }>(COUNT_OPEN, [tenant]);
      return row?.open ?? 0;
    },
    close: () => database.close(),
  };
}

/** @throws {HttpProblem} `http.bad_request` */
function readCursor(cursor: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (isPosition(position)) return position;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw noSuchPage();
}

function isPosition(value: unknown): value is Position {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [at, scope, step, kind, round] = value as unknown[];
  return (
    typeof at === 'string' &&
    MOMENT.test(at) &&
    !Number.isNaN(Date.parse(at)) &&
    [scope, step, kind].every((each) => typeof each === 'string' && !each.includes('\0')) &&
    Number.isInteger(round) &&
    Math.abs(Number(round)) < 2 ** 31
  );
}

export function noSuchPage(): HttpProblem {
  return new HttpProblem(
    'http.bad_request',
    'The address names no page of this list. Begin at its first page.',
  );
}
