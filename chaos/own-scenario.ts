import { chaosAgent } from './agents.ts';
import type { Scenario } from './scenario.ts';

const TOOLS = chaosAgent.tools.map(({ name }) => name);
const EFFECT = /^\/effects\/([a-z]+)\/([\w-]+)$/;

/** Each run calls every tool once, in two turns, in an order of its own. */
export const scenario: Scenario = {
  agents: [chaosAgent],
  request(id, random) {
    const tools = random.shuffle(TOOLS);
    const first = random.between(1, tools.length - 1);
    const turn = (names: string[]) => ({
      calls: names.map((name) => ({ name, arguments: { label: id } })),
    });
    return {
      agent: chaosAgent.name,
      input: {
        script: [turn(tools.slice(0, first)), turn(tools.slice(first)), { say: `done ${id}` }],
      },
      effects: tools.map((tool) => ({ tool, label: id })),
    };
  },
  effectOf({ path }) {
    const [, tool, label] = EFFECT.exec(path) ?? [];
    return tool === undefined || label === undefined ? undefined : { tool, label };
  },
  setup: `
    CREATE TABLE chaos_notes (
      id bigint GENERATED ALWAYS AS IDENTITY, label text NOT NULL, token text NOT NULL
    )`,
  effectRows: `SELECT 'note' AS tool, label FROM chaos_notes`,
};
