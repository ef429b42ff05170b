import { assertJson } from '../contract/json.ts';
import { isObject } from '../contract/json-value.ts';
import { assertName } from '../contract/key.ts';
import { isEffort, LAST_PRIORITY } from '../contract/settings.ts';
import type { AgentDefinition } from './define-agent.ts';
import { invalidDefinition, isOptional, isText, isWindow } from './invalid-definition.ts';

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

/** Members of a request that are the engine's: without them an answer would not be ours to read. */
export const RESERVED =
  /^(?:model|messages|input|instructions|prompt|tools|tool_choice|functions|function_call|stream|stream_options|n|store|include|background|previous_response_id|conversation)$/;

function problemOfOptions(agent: AgentDefinition): string | undefined {
  const { reasoningEffort, toolChoice, temperature, extraBody } = agent;
  if (
    reasoningEffort !== undefined &&
    !(typeof reasoningEffort === 'string' && isEffort(reasoningEffort))
  ) {
    return "reasoningEffort must be a word such as 'none', 'low' or 'high'";
  }
  if (!TOOL_CHOICES.includes(toolChoice)) {
    const named = typeof toolChoice === 'object' ? toolChoice?.tool : undefined;
    if (!agent.tools.some(({ name }) => name === named)) {
      return "toolChoice must be 'auto', 'required', 'none' or { tool } with one of the agent's tools";
    }
  }
  if (!isOptional(agent.parallelToolCalls, 'boolean')) {
    return 'parallelToolCalls must be true or false';
  }
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    return 'temperature must be a number from 0 to 2';
  }
  if (extraBody === undefined) return undefined;
  if (!isJsonObject(extraBody)) return 'extraBody must be an object that JSON can hold';
  const reserved = Object.keys(extraBody).filter((name) => RESERVED.test(name));
  if (agent.output) {
    if ('response_format' in extraBody) reserved.push('response_format beside an output');
    const { text } = extraBody;
    if (isObject(text) && 'format' in text) reserved.push('text.format beside an output');
  }
  return reserved.length > 0 ? `extraBody cannot set ${reserved.join(', ')}` : undefined;
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

function isJsonObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
}

function isCount(value: number | undefined, most = Infinity): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= most);
}
