import { AgentOnceError } from '../../contract/errors.ts';
import type { HeldStep, LedgerReader, SharedWork } from '../reader.ts';
import { codeOf } from './database-error.ts';
import { Database } from './database.ts';
import { readQuestions } from './questions.ts';
import { readSteps } from './records.ts';

const UNDEFINED_TABLE = '42P01';

interface HeldRow {
  step: string;
  left_ms: number | null;
  run_attempts: number;
}

const HELD = `
SELECT s.step, s.run_attempts,
  CASE WHEN s.state = 'claimed'
    THEN extract(epoch FROM s.lease_until - clock_timestamp())::double precision * 1000
  END AS left_ms
FROM agent_once.steps AS s
WHERE s.scope = $1`;

/** The step that a token names, and those that took its result. */
const SHARING = `
SELECT t.token, count(*)::int AS steps,
  CASE WHEN bool_and(m.state <> 'completed' OR m.cost_usd IS NOT NULL)
    THEN coalesce(sum(m.cost_usd), 0) END AS cost_usd
FROM unnest($1::text[], $2::text[], $3::text[]) AS t (token, scope, step),
  LATERAL (
    SELECT s.state, s.cost_usd FROM agent_once.steps AS s
    WHERE s.scope = t.scope AND s.step = t.step
    UNION ALL
    SELECT s.state, s.cost_usd FROM agent_once.steps AS s
    WHERE s.shared_with = t.token AND (s.scope, s.step) <> (t.scope, t.step)
  ) AS m
GROUP BY t.token`;

/**
 * See `openLedgerReader`. Nothing is migrated, and the right to read is enough. Whether the database
 * answers shows with the first question.
 */
export function openPostgresLedgerReader(url: string): LedgerReader {
  const database = new Database(url, { poolSize: 1, readOnly: true });
  return {
    steps: (scope) => readHeldSteps(database, scope),
    questions: (scope) => readQuestions(database, scope),
    sharing: (tokens) => readSharing(database, tokens),
    close: () => database.close(),
  };
}

async function readHeldSteps(database: Database, scope: string): Promise<HeldStep[]> {
  try {
    const rows = await database.query<HeldRow>(HELD, [scope]);
    const held = new Map(rows.map((row) => [row.step, row]));
    const steps = await readSteps(database, scope);
    return steps.map((step) => ({
      ...step,
      leaseLeftMs: held.get(step.step)?.left_ms ?? null,
      runAttempts: held.get(step.step)?.run_attempts ?? 0,
    }));
  } catch (error) {
    if (codeOf(error) !== UNDEFINED_TABLE) throw error;
    throw new AgentOnceError(
      'ledger.invalid',
      `The database at ${database.where} has no ledger in it: no worker has used it yet. Set LEDGER_URL to the workers' ledger.`,
      { cause: error },
    );
  }
}

async function readSharing(database: Database, tokens: readonly string[]): Promise<SharedWork[]> {
  if (tokens.length === 0) return [];
  const parts = tokens.map((token) => {
    const colon = token.lastIndexOf(':');
    return { scope: token.slice(0, colon), step: token.slice(colon + 1) };
  });
  const rows = await database.query<{ token: string; steps: number; cost_usd: number | null }>(
    SHARING,
    [tokens, parts.map(({ scope }) => scope), parts.map(({ step }) => step)],
  );
  return rows.map(({ token, steps, cost_usd }) => ({ token, steps, costUsd: cost_usd }));
}
