import type { z } from 'zod';
import type { JsonValue } from '../contract/json.ts';
import type { ModelOptions, StepPolicyOverrides } from '../contract/settings.ts';
import type { Lane } from '../contract/step.ts';
import type { ToolDefinition } from './define-tool.ts';

/**
 * An agent. How its model is asked (`ModelOptions`) is pinned when a run starts.
 *
 * @typeParam Output what its runs result in: see `output`
 */
export interface AgentDefinition<Output = unknown> extends ModelOptions {
  /** `[a-z][a-z0-9_]{0,31}`: stands in workflow IDs. */
  name: string;
  /** What it is for; for people who read the code. */
  description: string;
  /** The system message. */
  instructions: string;
  tools: readonly ToolDefinition[];
  /**
   * What the final answer must be, `z.object({ … })`: the model is told, its answer is read as JSON and
   * checked, and what the schema makes of it, which must be JSON, is the run's result. An answer that
   * does not fit is asked for once more; then the run fails with `output.invalid`. Default: any text.
   */
  output?: z.ZodType<Output>;
  /**
   * Name of an endpoint in `src/app/models.ts`, or of a model at the endpoint of the environment;
   * default: `OPENAI_MODEL`.
   */
  model?: string;
  /**
   * Further models, asked one after the other where the one before has refused, for certain unpaid:
   * its account has no credit, it is gone, or it was overloaded three times in a row.
   */
  fallbacks?: readonly string[];
  /** Model calls before a run fails with `run.turn_limit`; default 20. */
  maxTurns?: number;
  /**
   * How long a key names its run after the run has closed, in seconds; default 24 h. At most the
   * retention of the Temporal namespace: what Temporal has deleted, nobody remembers.
   */
  keyTtlSeconds?: number;
  /**
   * Identical model calls that runs make at the same time, on whatever workers, are one request,
   * paid once. Identical: tenant, agent, model, messages, tools and parameters.
   */
  coalesce?: boolean;
  /**
   * For how long the answer to a model call also serves identical calls that come later, in
   * seconds from its begin; at most a day. Implies `coalesce`.
   */
  cacheModelSeconds?: number;
  /**
   * HTTP: allows requests without a key. Then the same request is the same run for this long after
   * its first start, in seconds.
   */
  dedupeWindowSeconds?: number;
  /** Times and retries of model calls. */
  modelPolicy?: StepPolicyOverrides;
  /**
   * `'fast'`: the model's calls are local activities, as those of fast tools are. For models that answer
   * within a second or so: a small one next door, a cache. Default: `'standard'`.
   */
  modelLane?: Lane;
  /** Of its runs that are given none: from 1, which goes first where steps wait for workers, to 5. */
  priority?: number;
  /** What Temporal's history shows of tools' results; the whole is in the ledger. */
  historyResults?: 'preview' | 'none' | 'full';
  /** Turns a run's input into the user's message; default: a string as it is, other JSON as text. */
  prompt?: (input: JsonValue) => string;
}

/** Types an agent. Checked in full by the registry. */
export function defineAgent<Output = JsonValue>(
  agent: AgentDefinition<Output>,
): AgentDefinition<Output> {
  return agent;
}
