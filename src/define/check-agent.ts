import { z } from 'zod';
import { isObject } from '../contract/json-value.ts';
import { assertName } from '../contract/key.ts';
import { LAST_PRIORITY } from '../contract/settings.ts';
import type { AgentDefinition } from './define-agent.ts';
import { invalidDefinition, isOptional, isText, isWindow } from './invalid-definition.ts';
import { MODEL_OPTIONS } from './check-options.ts';

/**
 * Checks what the compiler cannot, or did not where an agent is written in JavaScript.
 *
 * @param models that it asks, one after the other
 * @param maxTools what a model's endpoint takes in one request; `undefined`: not known
 * @throws {AgentOnceError} `name.invalid`, `agent.invalid`
 */
export function checkAgent(
  agent: AgentDefinition,
  models: readonly string[],
  maxTools?: (model: string) => number | undefined,
): void {
  assertName('agent', agent.name);
  const limits = models.flatMap((model) => maxTools?.(model) ?? []);
  const problem =
    problemOf(agent, Math.min(...limits)) ?? problemOfOptions(agent) ?? problemOfRest(agent);
  if (problem !== undefined) throw invalidDefinition(`Agent '${agent.name}'`, problem);
}

const COUNTS = ['maxTurns', 'maxOutputTokens', 'keyTtlSeconds', 'dedupeWindowSeconds'] as const;

function problemOf(agent: AgentDefinition, maxTools: number): string | undefined {
  const { description, instructions, tools, model, fallbacks = [] } = agent;
  if (!isText(description)) return 'description is empty; say what it is for';
  if (!isText(instructions)) return 'instructions are empty; they tell the model what to do';
  if (!Array.isArray(tools)) return 'tools is no list; use [] for an agent without tools';
  if (tools.length > maxTools) {
    return `it has ${tools.length} tools, and the model's endpoint takes ${maxTools} in one request; split it into several agents`;
  }
  if (model !== undefined && !isText(model)) {
    return "model is empty; name one, or leave it out for the worker's OPENAI_MODEL";
  }
  if (!Array.isArray(fallbacks) || !fallbacks.every(isText)) {
    return 'fallbacks must be a list of names of models';
  }
  if (new Set([model, ...fallbacks]).size <= fallbacks.length) {
    return 'model and fallbacks name one model twice';
  }
  if (!isCount(agent.priority, LAST_PRIORITY)) return 'priority must be a whole number from 1 to 5';
  const count = COUNTS.find((name) => !isCount(agent[name]));
  return count && `${count} must be a whole number from 1`;
}

const TOOL_CHOICES: readonly unknown[] = [undefined, 'auto', 'required', 'none'];

function problemOfOptions(agent: AgentDefinition): string | undefined {
  const { toolChoice, extraBody = {} } = agent;
  const [issue] = z.object(MODEL_OPTIONS).safeParse(agent).error?.issues ?? [];
  if (issue) return `${issue.path.join('.')} ${issue.message}`;
  if (!TOOL_CHOICES.includes(toolChoice)) {
    const named = typeof toolChoice === 'object' ? toolChoice?.tool : undefined;
    if (!agent.tools.some(({ name }) => name === named)) {
      return "toolChoice must be 'auto', 'required', 'none' or { tool } with one of the agent's tools";
    }
  }
  if (!agent.output) return undefined;
  const { text } = extraBody;
  const format = 'response_format' in extraBody ? 'response_format' : 'text.format';
  return format === 'response_format' || (isObject(text) && 'format' in text)
    ? `extraBody cannot set ${format} beside an output`
    : undefined;
}

const HISTORY_RESULTS: readonly unknown[] = [undefined, 'preview', 'none', 'full'];

function problemOfRest(agent: AgentDefinition): string | undefined {
  const { historyResults, coalesce, cacheModelSeconds, prompt } = agent;
  if (!HISTORY_RESULTS.includes(historyResults)) {
    return "historyResults must be 'preview', 'none' or 'full'";
  }
  if (![undefined, 'standard', 'fast'].includes(agent.modelLane)) {
    return "modelLane must be 'standard' or 'fast'";
  }
  if (!isOptional(coalesce, 'boolean')) return 'coalesce must be true or false';
  if (cacheModelSeconds !== undefined && !isWindow(cacheModelSeconds)) {
    return 'cacheModelSeconds must be a number of seconds up to 86400, a day';
  }
  if (coalesce === false && cacheModelSeconds !== undefined) {
    return 'cacheModelSeconds needs coalesce; leave out coalesce: false';
  }
  return isOptional(prompt, 'function') ? undefined : 'prompt must be a function of the input';
}

function isCount(value: number | undefined, most = Infinity): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= most);
}
