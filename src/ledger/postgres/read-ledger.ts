import { AgentOnceError } from '../../contract/errors.ts';
import type { LedgerReader } from '../reader.ts';
import { codeOf } from './database-error.ts';
import { Database } from './database.ts';
import { questions } from './questions.ts';
import { readHeldSteps, readRows } from './records.ts';

const UNDEFINED_TABLE = '42P01';

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
    async steps(scope) {
      try {
        return await readHeldSteps(database, scope);
      } catch (error) {
        if (codeOf(error) !== UNDEFINED_TABLE) throw error;
        throw new AgentOnceError(
          'ledger.invalid',
          `The database at ${database.where} has no ledger in it: no worker has used it yet. Set LEDGER_URL to the workers' ledger.`,
          { cause: error },
        );
      }
    },
    questions: questions(database).questions,
    async sharing(tokens) {
      if (tokens.length === 0) return [];
      const scopes = tokens.map((token) => token.slice(0, token.lastIndexOf(':')));
      const steps = tokens.map((token) => token.slice(token.lastIndexOf(':') + 1));
      return readRows(database, SHARING, [tokens, scopes, steps]);
    },
    close: () => database.close(),
  };
}
