import type { SharedWork } from '../reader.ts';
import type { Database } from './database.ts';

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

/** See `LedgerReader.sharing`. */
export async function readSharing(
  database: Database,
  tokens: readonly string[],
): Promise<SharedWork[]> {
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
