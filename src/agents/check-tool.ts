import { AgentOnceError } from '../contract/errors.ts';
import { assertName } from '../contract/key.ts';
import { EFFECTS } from '../contract/step.ts';
import type { ToolDefinition } from '../tools/define-tool.ts';

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
