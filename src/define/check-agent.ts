import { AgentOnceError } from '../contract/errors.ts';
import { assertJson } from '../contract/json.ts';
import { assertName } from '../contract/key.ts';
import { isEffort } from '../contract/settings.ts';
import type { AgentDefinition } from './define-agent.ts';

const HISTORY_RESULTS: readonly unknown[] = [undefined, 'preview', 'none', 'full'];
const LONGEST_CACHE_SECONDS = 24 * 60 * 60;

/**
 * Checks what the compiler cannot, or did not where an agent is written in JavaScript.
 *
 * @param maxTools what the endpoint takes in one request; `undefined`: not known
 * @throws {AgentOnceError} `name.invalid`, `agent.invalid`
 */
export function checkAgent(agent: AgentDefinition, maxTools?: number): void {
  assertName('agent', agent.name);
  const refuse = (problem: string): AgentOnceError =>
    new AgentOnceError('agent.invalid', `Agent '${agent.name}': ${problem}.`);
  if (!isText(agent.description)) throw refuse('description is empty; say what it is for');
  if (!isText(agent.instructions))
    throw refuse('instructions are empty; they tell the model what to do');
  if (!Array.isArray(agent.tools))
    throw refuse('tools is no list; use [] for an agent without tools');
  if (maxTools !== undefined && agent.tools.length > maxTools) {
    throw refuse(
      `it has ${agent.tools.length} tools, and the model's endpoint takes ${maxTools} in one request; split it into several agents`,
    );
  }
  if (agent.model !== undefined && !isText(agent.model)) {
    throw refuse("model is empty; name one, or leave it out for the worker's OPENAI_MODEL");
  }
  if (!isCount(agent.maxTurns)) throw refuse('maxTurns must be a whole number from 1');
  if (!isCount(agent.keyTtlSeconds))
    throw refuse('keyTtlSeconds must be a whole number of seconds from 1');
  if (!isCount(agent.dedupeWindowSeconds))
    throw refuse('dedupeWindowSeconds must be a whole number of seconds from 1');
  const problem = problemOfOptions(agent);
  if (problem !== undefined) throw refuse(problem);
  if (!HISTORY_RESULTS.includes(agent.historyResults)) {
    throw refuse("historyResults must be 'preview', 'none' or 'full'");
  }
  if (agent.coalesce !== undefined && typeof agent.coalesce !== 'boolean') {
    throw refuse('coalesce must be true or false');
  }
  const { cacheModelSeconds } = agent;
  if (
    cacheModelSeconds !== undefined &&
    !(cacheModelSeconds > 0 && cacheModelSeconds <= LONGEST_CACHE_SECONDS)
  ) {
    throw refuse('cacheModelSeconds must be a number of seconds up to 86400, a day');
  }
  if (agent.coalesce === false && cacheModelSeconds !== undefined) {
    throw refuse('cacheModelSeconds needs coalesce; leave out coalesce: false');
  }
  if (agent.prompt !== undefined && typeof agent.prompt !== 'function') {
    throw refuse('prompt must be a function of the input');
  }
}

const TOOL_CHOICES: readonly unknown[] = [undefined, 'auto', 'required', 'none'];

/** Members of a request that are the engine's: without them an answer would not be ours to read. */
const RESERVED = [
  'model',
  'messages',
  'input',
  'instructions',
  'prompt',
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'stream',
  'stream_options',
  'n',
  'store',
  'include',
  'background',
  'previous_response_id',
  'conversation',
];

function problemOfOptions(agent: AgentDefinition): string | undefined {
  const { reasoningEffort, toolChoice, parallelToolCalls, temperature, extraBody } = agent;
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
  if (parallelToolCalls !== undefined && typeof parallelToolCalls !== 'boolean') {
    return 'parallelToolCalls must be true or false';
  }
  if (!isCount(agent.maxOutputTokens)) return 'maxOutputTokens must be a whole number from 1';
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    return 'temperature must be a number from 0 to 2';
  }
  if (extraBody === undefined) return undefined;
  if (!isJsonObject(extraBody)) return 'extraBody must be an object that JSON can hold';
  const reserved = RESERVED.filter((name) => Object.hasOwn(extraBody, name));
  return reserved.length > 0 ? `extraBody cannot set ${reserved.join(', ')}` : undefined;
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

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isCount(value: number | undefined): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1);
}
