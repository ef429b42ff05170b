import { assertName } from '../contract/key.ts';
import { EFFECTS } from '../contract/step.ts';
import type { ToolDefinition } from './define-tool.ts';
import { invalidDefinition, isOptional, isText, isWindow } from './invalid-definition.ts';

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
  const problem = problemOf(tool) ?? problemOfDedup(tool.dedup);
  if (problem !== undefined) throw invalidDefinition(where, problem);
  return where;
}

function problemOf(tool: ToolDefinition): string | undefined {
  if (!EFFECTS.includes(tool.effect)) {
    return `effect must be one of ${EFFECTS.join(', ')}; see docs/promises.md`;
  }
  if (!isText(tool.description)) {
    return 'description is empty; it tells the model when to use the tool';
  }
  if (typeof tool.run !== 'function') return 'run is no function';
  if (tool.effect === 'reconcile' && typeof tool.find !== 'function') {
    return 'find is no function; a reconcile tool looks for the effect of earlier attempts';
  }
  const wrong = (['summary', 'shadow'] as const).find(
    (name) => !isOptional(tool[name], 'function'),
  );
  if (wrong) return `${wrong} must be a function of the arguments`;
  const lane: string = tool.lane ?? 'standard';
  return lane === 'standard' || lane === 'fast' ? undefined : "lane must be 'standard' or 'fast'";
}

const SCOPES: readonly unknown[] = [undefined, 'turn', 'run', 'never'];

function problemOfDedup(dedup: unknown): string | undefined {
  if (SCOPES.includes(dedup)) return undefined;
  if (typeof dedup !== 'object' || dedup === null || !('windowSeconds' in dedup)) {
    return "dedup must be 'turn', 'run', 'never' or { windowSeconds }";
  }
  return isWindow(dedup.windowSeconds)
    ? undefined
    : 'dedup.windowSeconds must be a number of seconds up to 86400, a day';
}
