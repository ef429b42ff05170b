import { AgentOnceError } from '../contract/errors.ts';
import { assertName } from '../contract/key.ts';
import { EFFECTS } from '../contract/step.ts';
import type { ToolDefinition } from '../tools/define-tool.ts';

/** Effects that are in the types, so that a tool can be written for them, but that nothing runs yet. */
const NOT_BUILT: Readonly<Partial<Record<string, string>>> = {
  reconcile:
    "Use 'keyed' if the other side takes an idempotency key, or 'transactional' if the effect is in the ledger's database",
  'at-most-once':
    "Use 'keyed' if the other side takes an idempotency key; otherwise leave the tool out, since a retry could repeat its effect",
};

/**
 * Checks what the compiler cannot, or did not where a tool is written in JavaScript. Policy and
 * schema are checked where they are made.
 *
 * @returns which tool it is, to begin an error's message with
 * @throws {AgentOnceError} `name.invalid`, `agent.invalid`
 */
export function checkTool(agent: string, tool: ToolDefinition): string {
  assertName('tool', tool.name);
  const where = `Agent '${agent}', tool '${tool.name}'`;
  const refuse = (problem: string): AgentOnceError =>
    new AgentOnceError('agent.invalid', `${where}: ${problem}.`);
  const effect: string = tool.effect;
  if (!EFFECTS.some((known) => known === effect)) {
    throw refuse(`effect must be one of ${EFFECTS.join(', ')}; see docs/promises.md`);
  }
  const instead = NOT_BUILT[effect];
  if (instead !== undefined) {
    throw refuse(`the effect '${effect}' is not built yet. ${instead}`);
  }
  if (typeof tool.description !== 'string' || tool.description.trim() === '') {
    throw refuse('description is empty; it tells the model when to use the tool');
  }
  if (typeof tool.run !== 'function') throw refuse('run is no function');
  if (tool.summary !== undefined && typeof tool.summary !== 'function') {
    throw refuse('summary must be a function of the arguments');
  }
  const dedup: string | undefined = tool.dedup;
  if (dedup !== undefined && dedup !== 'turn' && dedup !== 'never') {
    throw refuse("dedup must be 'turn' or 'never'");
  }
  return where;
}
