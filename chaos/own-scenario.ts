import { chaosAgent } from './agents.ts';
import type { Scenario } from './scenario.ts';
import { nameIn, toolsIn } from './tools.ts';

const TOOLS = toolsIn('standard').map(({ name }) => name);
/** Those that people are asked about first. */
const APPROVED = toolsIn('standard').flatMap(({ name, approval }) => (approval ? [name] : []));
/** Of as many calls that need an approval, a person denies one. */
const DENIED_ONE_IN = 5;
const EFFECT = /^\/effects\/([a-z_]+)\/([\w-]+)$/;

/**
 * Each run calls every tool once, in one lane or the other, in two turns, in an order of its own.
 */
export const scenario: Scenario = {
  agents: [chaosAgent],
  request(id, random) {
    const calls = random.shuffle(TOOLS).map((name) => ({
      tool: nameIn(random.pick(['standard', 'fast'] as const) ?? 'standard', name),
      denied: APPROVED.includes(name) && random.between(1, DENIED_ONE_IN) === 1,
    }));
    const first = random.between(1, calls.length - 1);
    const turn = (of: typeof calls) => ({
      calls: of.map(({ tool }) => ({ name: tool, arguments: { label: id } })),
    });
    return {
      agent: chaosAgent.name,
      input: {
        script: [turn(calls.slice(0, first)), turn(calls.slice(first)), { say: `done ${id}` }],
      },
      effects: calls.map(({ tool, denied }) => ({
        tool,
        label: id,
        ...(denied ? { denied } : {}),
      })),
    };
  },
  effectOf({ path }) {
    const [, tool, label] = EFFECT.exec(path) ?? [];
    return tool === undefined || label === undefined ? undefined : { tool, label };
  },
  announces: true,
  setup: `
    CREATE TABLE chaos_notes (
      tool text NOT NULL, label text NOT NULL, token text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE chaos_payments (
      tool text NOT NULL, label text NOT NULL, token text NOT NULL, side text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`,
  // A debit without its credit, or the other way round, is an effect that nobody asked for.
  effectRows: `
    WITH effects AS (
      SELECT tool, label, token, at FROM chaos_notes
      UNION ALL SELECT tool, label, token, at FROM chaos_payments WHERE side = 'debit'
      UNION ALL
      SELECT 'half of ' || tool, label, token, max(at) FROM chaos_payments GROUP BY tool, label, token
      HAVING count(*) FILTER (WHERE side = 'debit') <> count(*) FILTER (WHERE side = 'credit')
    )
    SELECT tool, label, token, floor(extract(epoch FROM at) * 1000)::double precision AS at
    FROM effects`,
};
