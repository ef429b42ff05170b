import { defined } from '../contract/defined.ts';
import type { ModelOptions } from '../contract/settings.ts';
import type { AgentDefinition } from './define-agent.ts';

/** What an agent sets of how its model is asked, and no more. */
export function modelOptions(agent: AgentDefinition, defaultEffort?: string): ModelOptions {
  const { reasoningEffort = defaultEffort, toolChoice, parallelToolCalls } = agent;
  const { maxOutputTokens, temperature, extraBody } = agent;
  return defined({
    reasoningEffort,
    toolChoice,
    parallelToolCalls,
    maxOutputTokens,
    temperature,
    extraBody,
  });
}
