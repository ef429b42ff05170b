import { AgentOnceError } from '../contract/errors.ts';
import { assertName } from '../contract/key.ts';
import type { AgentDefinition } from './define-agent.ts';

const HISTORY_RESULTS: readonly unknown[] = [undefined, 'preview', 'none', 'full'];
const LONGEST_CACHE_SECONDS = 24 * 60 * 60;

/**
 * Checks what the compiler cannot, or did not where an agent is written in JavaScript.
 *
 * @throws {AgentOnceError} `name.invalid`, `agent.invalid`
 */
export function checkAgent(agent: AgentDefinition): void {
  assertName('agent', agent.name);
  const refuse = (problem: string): AgentOnceError =>
    new AgentOnceError('agent.invalid', `Agent '${agent.name}': ${problem}.`);
  if (!isText(agent.description)) throw refuse('description is empty; say what it is for');
  if (!isText(agent.instructions))
    throw refuse('instructions are empty; they tell the model what to do');
  if (!Array.isArray(agent.tools))
    throw refuse('tools is no list; use [] for an agent without tools');
  if (agent.model !== undefined && !isText(agent.model)) {
    throw refuse("model is empty; name one, or leave it out for the worker's OPENAI_MODEL");
  }
  if (!isCount(agent.maxTurns)) throw refuse('maxTurns must be a whole number from 1');
  if (!isCount(agent.maxOutputTokens))
    throw refuse('maxOutputTokens must be a whole number from 1');
  if (!isCount(agent.keyTtlSeconds))
    throw refuse('keyTtlSeconds must be a whole number of seconds from 1');
  if (!isCount(agent.dedupeWindowSeconds))
    throw refuse('dedupeWindowSeconds must be a whole number of seconds from 1');
  const { temperature } = agent;
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    throw refuse('temperature must be a number from 0 to 2');
  }
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

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isCount(value: number | undefined): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1);
}
