import type { JsonObject } from '../contract/json-value.ts';
import type { AgentSettings, StepPolicy } from '../contract/settings.ts';
import type { Effect } from '../contract/step.ts';
import type { AgentDefinition } from '../agents/define-agent.ts';
import type { Ledger } from '../ledger/port.ts';
import type { Model } from '../model/port.ts';
import type { ToolDefinition } from '../tools/define-tool.ts';
import type { Faults } from './faults.ts';

/** An agent as the activities need it: checked, with its settings and tools resolved. */
export interface KnownAgent {
  definition: AgentDefinition;
  settings: AgentSettings;
  tools: ReadonlyMap<string, KnownTool>;
}

export interface KnownTool {
  name: string;
  effect: Effect;
  policy: StepPolicy;
  /** JSON Schema of the arguments. */
  parameters: JsonObject;
  definition: ToolDefinition;
}

/** The agents and tools of a worker. */
export interface KnownAgents {
  agent(name: string): KnownAgent | undefined;
  tools(): readonly KnownTool[];
}

/** What the activities work with; the worker puts it together. */
export interface ActivityDeps {
  ledger: Ledger;
  model: Model;
  agents: KnownAgents;
  /** Price of a call in US dollars, `null` when the model's price is unknown. */
  costUsd(model: string, usage: { inputTokens: number; outputTokens: number }): number | null;
  /** Worker and process, for the person who must know whether it is dead. */
  worker: string;
  faults: Faults;
  /** Tests only: a fresh token in every attempt. */
  withoutTokens: boolean;
}
