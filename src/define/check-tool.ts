import { AgentOnceError } from '../contract/errors.ts';
import { assertName } from '../contract/key.ts';
import { EFFECTS } from '../contract/step.ts';
import type { ToolDefinition } from './define-tool.ts';

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
  if (tool.effect === 'reconcile' && typeof tool.find !== 'function') {
    throw refuse('find is no function; a reconcile tool looks for the effect of earlier attempts');
  }
  if (tool.summary !== undefined && typeof tool.summary !== 'function') {
    throw refuse('summary must be a function of the arguments');
  }
  if (tool.shadow !== undefined && typeof tool.shadow !== 'function') {
    throw refuse('shadow must be a function of the arguments');
  }
  const lane: string = tool.lane ?? 'standard';
  if (lane !== 'standard' && lane !== 'fast') throw refuse("lane must be 'standard' or 'fast'");
  const problem = problemOfDedup(tool.dedup);
  if (problem !== undefined) throw refuse(problem);
  return where;
}

const SCOPES: readonly unknown[] = [undefined, 'turn', 'run', 'never'];
/** What Temporal and the ledger remember by default. */
const LONGEST_WINDOW_SECONDS = 24 * 60 * 60;

function problemOfDedup(dedup: unknown): string | undefined {
  if (SCOPES.includes(dedup)) return undefined;
  if (typeof dedup !== 'object' || dedup === null || !('windowSeconds' in dedup)) {
    return "dedup must be 'turn', 'run', 'never' or { windowSeconds }";
  }
  const { windowSeconds: seconds } = dedup;
  if (typeof seconds === 'number' && seconds > 0 && seconds <= LONGEST_WINDOW_SECONDS) return;
  return `dedup.windowSeconds must be a number of seconds up to ${LONGEST_WINDOW_SECONDS}, a day`;
}
