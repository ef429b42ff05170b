import { defined } from '../contract/defined.ts';
import { AgentOnceError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import { sha256Hex } from '../contract/hash.ts';
import type { RunOptions } from '../contract/run.ts';
import {
  DEFAULT_KEY_TTL_MS,
  DEFAULT_MAX_TURNS,
  DEFAULT_MODEL_POLICY,
  DEFAULT_TOOL_POLICY,
  type AgentSettings,
  type StepPolicy,
} from '../contract/settings.ts';
import type { Effect } from '../contract/step.ts';
import type { ToolDefinition } from './define-tool.ts';
import { checkAgent } from './check-agent.ts';
import { checkTool } from './check-tool.ts';
import type { AgentDefinition } from './define-agent.ts';
import { invalidDefinition } from './invalid-definition.ts';
import { modelOptions } from './model-options.ts';
import { questionTerms, type PossibleQuestions } from './question-terms.ts';
import type { RegistryDefaults } from './registry-defaults.ts';
import { shownSchema } from './shown-schema.ts';
import { stepPolicy } from './step-policy.ts';

/** A tool that passed all checks. */
export interface RegisteredTool {
  name: string;
  effect: Effect;
  policy: StepPolicy;
  questions: PossibleQuestions;
  /** JSON Schema of the arguments, as the model is shown it. */
  parameters: JsonObject;
  definition: ToolDefinition;
}

/** An agent that passed all checks. */
export interface RegisteredAgent {
  definition: AgentDefinition;
  settings: AgentSettings;
  /** Its tools by name, in the order of the definition. */
  tools: ReadonlyMap<string, RegisteredTool>;
  /** JSON Schema of its output, as the model is shown it; `undefined`: any text. */
  output: JsonObject | undefined;
  /** Of what it tells the model. */
  hash: string;
}

export interface Registry {
  agent(name: string): RegisteredAgent | undefined;
  /** Names of all agents, sorted. */
  names(): string[];
  /**
   * The snapshot of settings that a run takes along.
   *
   * @throws {AgentOnceError} `agent.unknown`, `options.invalid`
   */
  settingsOf(name: string, options?: RunOptions): AgentSettings;
  /**
   * Hash of what the agent tells the model: tells whether a definition has changed.
   *
   * @throws {AgentOnceError} `agent.unknown`
   */
  definitionOf(name: string): string;
  /**
   * Whether its model or any of its tools runs in the fast lane.
   *
   * @throws {AgentOnceError} `agent.unknown`
   */
  hasFastTools(name: string): boolean;
  /** Every tool of every agent once: one activity each. */
  tools(): RegisteredTool[];
}

/**
 * Checks agents and their tools, all of them before anything runs.
 *
 * @throws {AgentOnceError} `name.invalid`, `agent.invalid`: which agent and tool, and what to change
 */
export function createRegistry(
  agents: readonly AgentDefinition[],
  defaults: RegistryDefaults,
): Registry {
  const tools = new Map<string, RegisteredTool>();
  const registered = new Map<string, RegisteredAgent>();
  for (const definition of agents) {
    checkAgent(definition, modelsOf(definition, defaults), defaults.maxTools);
    if (registered.has(definition.name)) {
      throw new AgentOnceError(
        'agent.invalid',
        `Two agents are called '${definition.name}'. Rename one: the name stands in workflow IDs.`,
      );
    }
    const settings = settingsFrom(definition, defaults);
    const own = registerTools(definition, tools, defaults);
    const output =
      definition.output && shownSchema(`Agent '${definition.name}'`, 'output', definition.output);
    const hash = definitionHash(definition, settings, own, output);
    registered.set(definition.name, { definition, settings, tools: own, output, hash });
  }
  return {
    agent: (name) => registered.get(name),
    names: () => [...registered.keys()].sort(),
    settingsOf: (name, options) => withOptions(find(registered, name).settings, defaults, options),
    definitionOf: (name) => find(registered, name).hash,
    hasFastTools: (name) => {
      const { tools: own, modelLane } = find(registered, name).definition;
      return [{ lane: modelLane }, ...own].some(({ lane }) => lane === 'fast');
    },
    tools: () => [...tools.values()],
  };
}

function settingsFrom(agent: AgentDefinition, defaults: RegistryDefaults): AgentSettings {
  const [model, ...fallbacks] = modelsOf(agent, defaults);
  const where = `Agent '${agent.name}'`;
  const { modelLane } = agent;
  const fast = modelLane === 'fast';
  const modelPolicy = stepPolicy(
    `${where}, modelPolicy`,
    modelLane,
    { ...DEFAULT_MODEL_POLICY, ...defaults.heartbeat },
    agent.modelPolicy,
  );
  const slow = fast && [model, ...fallbacks].find((name) => defaults.inBackground?.(name));
  if (slow) {
    throw invalidDefinition(
      where,
      `its model '${slow}' answers in the background, which takes longer than the fast lane allows. Leave modelLane out`,
    );
  }
  return {
    model,
    ...(fallbacks.length === 0 ? {} : { fallbacks }),
    ...namedEndpoints([model, ...fallbacks], defaults),
    maxTurns: agent.maxTurns ?? DEFAULT_MAX_TURNS,
    keyTtlMs: agent.keyTtlSeconds === undefined ? DEFAULT_KEY_TTL_MS : agent.keyTtlSeconds * 1_000,
    modelPolicy,
    ...(fast ? { modelLane: 'fast' } : {}),
    modelOptions: modelOptions(agent, defaults.reasoningEffort),
    historyResults: agent.historyResults ?? 'preview',
    ...defined({ priority: agent.priority }),
  };
}

/** The models that an agent's runs ask, one after the other. */
function modelsOf(agent: AgentDefinition, { defaultModel }: RegistryDefaults) {
  return [agent.model ?? defaultModel, ...(agent.fallbacks ?? [])] as [string, ...string[]];
}

function namedEndpoints(models: readonly string[], { endpoints = [] }: RegistryDefaults) {
  const named = models.filter((name) => endpoints.includes(name));
  return named.length === 0 ? {} : { endpoints: named };
}

function definitionHash(
  definition: AgentDefinition,
  settings: AgentSettings,
  tools: RegisteredAgent['tools'],
  output: JsonObject | undefined,
): string {
  // Only what is set is added, so that agents without it keep the hashes that runs have recorded.
  const options = { ...modelOptions(definition), ...defined({ output }) };
  const { maxOutputTokens, temperature, ...others } = options;
  const more = Object.keys(others).length > 0 ? [others] : [];
  const told = [...tools.values()].map(({ name, effect, parameters, definition: tool }) => ({
    name,
    effect,
    parameters,
    description: tool.description,
  }));
  const { instructions } = definition;
  const all = [instructions, settings.model, maxOutputTokens, temperature, told, ...more];
  return sha256Hex(JSON.stringify(all)).slice(0, 16);
}

/** @param known tools of all agents so far; new ones are added */
function registerTools(
  agent: AgentDefinition,
  known: Map<string, RegisteredTool>,
  defaults: RegistryDefaults,
): Map<string, RegisteredTool> {
  const own = new Map<string, RegisteredTool>();
  for (const definition of agent.tools) {
    const where = checkTool(agent.name, definition);
    if (own.has(definition.name)) {
      throw new AgentOnceError(
        'agent.invalid',
        `Agent '${agent.name}' has two tools called '${definition.name}'. Rename or remove one.`,
      );
    }
    let tool = known.get(definition.name);
    if (tool && tool.definition !== definition) {
      throw invalidDefinition(
        where,
        `another agent has a different tool of this name, and 'tool.${definition.name}' can be only one activity. Share one definition or rename one of the two`,
      );
    }
    tool ??= {
      name: definition.name,
      effect: definition.effect,
      policy: toolPolicy(where, definition, defaults),
      questions: questionTerms(where, definition),
      parameters: shownSchema(where, 'input', definition.input),
      definition,
    };
    known.set(tool.name, tool);
    own.set(tool.name, tool);
  }
  return own;
}

function toolPolicy(where: string, tool: ToolDefinition, defaults: RegistryDefaults): StepPolicy {
  const { lane, startToCloseMs, scheduleToCloseMs, heartbeatMs, leaseMs, retry } = tool;
  // An undefined member would wipe out a default.
  const own = defined({ startToCloseMs, scheduleToCloseMs, heartbeatMs, leaseMs, retry });
  return stepPolicy(where, lane, { ...DEFAULT_TOOL_POLICY, ...defaults.heartbeat }, own);
}

function find(registered: ReadonlyMap<string, RegisteredAgent>, name: string): RegisteredAgent {
  const agent = registered.get(name);
  if (agent) return agent;
  const names = [...registered.keys()].sort().join(', ') || 'none';
  throw new AgentOnceError(
    'agent.unknown',
    `No agent of this name is registered. Registered: ${names}. Nothing was started.`,
  );
}

function withOptions(
  settings: AgentSettings,
  defaults: RegistryDefaults,
  options: RunOptions = {},
): AgentSettings {
  if (options.model === undefined) return settings;
  if (typeof options.model !== 'string' || options.model.trim() === '') {
    throw new AgentOnceError(
      'options.invalid',
      "The run's option 'model' must be the name of a model. Nothing was started.",
    );
  }
  const { endpoints: _before, ...others } = settings;
  const { model } = options;
  return {
    ...others,
    model,
    ...namedEndpoints([model, ...(settings.fallbacks ?? [])], defaults),
  };
}
