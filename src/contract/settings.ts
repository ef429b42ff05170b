import type { JsonObject } from './json-value.ts';

/** Waiting times between attempts and how many there are. Times in milliseconds. */
export interface RetryPolicy {
  initialIntervalMs: number;
  backoffCoefficient: number;
  maximumIntervalMs: number;
  /** Executed attempts per execution, counted by the ledger: waiting for somebody's lease is none. */
  maximumAttempts: number;
}

/** How one step runs. Times in milliseconds. */
export interface StepPolicy {
  /** One attempt. */
  startToCloseMs: number;
  /** All attempts together, waiting included. */
  scheduleToCloseMs: number;
  /** Without a heartbeat for this long, Temporal gives the step to another worker. */
  heartbeatMs: number;
  /** How long a claim holds without renewal: at most `heartbeatMs`. */
  leaseMs: number;
  retry: RetryPolicy;
}

/** How the model is asked, besides by whom and what: what an agent sets, and a run keeps. */
export interface ModelOptions {
  /** How long the model thinks: `'none'`, `'low'`, `'high'` …, in the endpoint's own words. */
  reasoningEffort?: string;
  /**
   * Whether the first call must ask for a tool, must not, or must ask for this one. Later calls
   * choose freely: a model that must always ask for a tool never ends. Default: `'auto'`.
   */
  toolChoice?: 'auto' | 'required' | 'none' | { tool: string };
  /** Whether one answer may ask for several tools; default: the endpoint's own. */
  parallelToolCalls?: boolean;
  /** Upper bound of one answer, in tokens, thinking included; default: the endpoint's own. */
  maxOutputTokens?: number;
  temperature?: number;
  /**
   * Members that are added to each request as they are, for what an endpoint has beyond the rest.
   * They stand in Temporal's history: no secrets.
   */
  extraBody?: JsonObject;
}

/** Those of them that may be others from a resume on. */
export type ResumedOptions = Pick<ModelOptions, 'reasoningEffort' | 'maxOutputTokens'>;

/** What can be a `reasoningEffort`: endpoints have words of their own for it. */
export const EFFORT = /^[a-z][a-z_-]{0,31}$/;

export function isEffort(value: string): boolean {
  return EFFORT.test(value);
}

/** What a run keeps of its agent's definition from its start on, whatever is deployed later. */
export interface AgentSettings {
  /** Name of an endpoint of the app's own, or of a model at the endpoint of the environment. */
  model: string;
  /** Those that are asked where it refuses, one after the other. */
  fallbacks?: string[];
  /**
   * Which of these names are endpoints: a worker that does not know one leaves the step to another.
   * Absent: each worker goes by its own endpoints.
   */
  endpoints?: string[];
  /** Model calls before the run fails with `run.turn_limit`. */
  maxTurns: number;
  modelPolicy: StepPolicy;
  /** Lane of the model's calls; absent: the standard lane. */
  modelLane?: 'fast';
  /** Absent in runs of an earlier version: the definition's count then. */
  modelOptions?: ModelOptions;
  /** How long a key names its run after the run has closed; then it is new again. */
  keyTtlMs: number;
  /** What Temporal's history shows of tools' results: 2 KB, nothing, or up to 64 KB. */
  historyResults: 'preview' | 'none' | 'full';
  /** Of its runs that are given none. */
  priority?: number;
}

/** Temporal has these unless its server is told otherwise. */
export const LAST_PRIORITY = 5;

/**
 * With a ledger in PostgreSQL a worker that dies is noticed by its lease there, within about six
 * seconds, and `heartbeatMs` is for when nobody notices. With step leases alone it decides how soon a
 * step is taken over: see AGENT_ONCE_HEARTBEAT in docs/configuration.md.
 */
const RECOVERY = { heartbeatMs: 60_000, leaseMs: 4_000 } as const;

/**
 * What steps of a model are said to have where their inputs say nothing. It never changes: runs under way
 * have left it out.
 */
export const IMPLIED_MODEL_POLICY: StepPolicy = {
  startToCloseMs: 5 * 60_000,
  scheduleToCloseMs: 30 * 60_000,
  ...RECOVERY,
  retry: {
    initialIntervalMs: 500,
    backoffCoefficient: 2,
    maximumIntervalMs: 30_000,
    maximumAttempts: 8,
  },
};

/** The same of a tool's steps. */
export const IMPLIED_TOOL_POLICY: StepPolicy = {
  startToCloseMs: 60_000,
  scheduleToCloseMs: 10 * 60_000,
  ...RECOVERY,
  retry: { ...IMPLIED_MODEL_POLICY.retry, maximumIntervalMs: 15_000, maximumAttempts: 5 },
};

/** Policies of agents and tools that say nothing. They may be changed: runs keep what they have. */
export const DEFAULT_MODEL_POLICY: StepPolicy = { ...IMPLIED_MODEL_POLICY };
export const DEFAULT_TOOL_POLICY: StepPolicy = { ...IMPLIED_TOOL_POLICY };

/**
 * A fast step is a part of its workflow's task: nobody else hears of it, so it has neither heartbeat
 * nor renewal, and its claim holds a little longer than it may take.
 */
export const FAST_LANE = {
  /** One attempt, unless the tool says otherwise. */
  startToCloseMs: 5_000,
  longestStartToCloseMs: 10_000,
  leaseMarginMs: 1_000,
  /**
   * An attempt ends itself when its time is over; this is for one that does not: a tool that does not
   * hear, a ledger that does not answer. Long, since Temporal then begins another beside it.
   */
  deafMs: 15_000,
  /** A longer wait for the next attempt is a timer, for which no workflow task is kept open. */
  localRetryMs: 1_000,
  /**
   * Of the runs of an agent with such tools: after four fifths of it a cancellation reaches a fast
   * step, and after it the tasks of a worker that died go to another.
   */
  workflowTaskTimeoutMs: 3_000,
} as const;

export const DEFAULT_MAX_TURNS = 20;

/** 24 hours, which is also what a Temporal dev server retains closed runs for. */
export const DEFAULT_KEY_TTL_MS = 24 * 60 * 60_000;

/** A policy of which an agent or a tool changes only what it needs to. */
export type StepPolicyOverrides = Partial<Omit<StepPolicy, 'retry'>> & {
  retry?: Partial<RetryPolicy>;
};

/**
 * What the inputs and records of steps say of a policy: each would repeat the same. `wholePolicy` makes
 * of it the policy that it was, also of one that leaves nothing out.
 */
export function leftOut(implied: StepPolicy, { retry, ...times }: StepPolicy): StepPolicyOverrides {
  const own = differences(times, implied);
  const ownRetry = differences(retry, implied.retry);
  return Object.keys(ownRetry).length === 0 ? own : { ...own, retry: ownRetry };
}

export function wholePolicy(implied: StepPolicy, said: StepPolicyOverrides = {}): StepPolicy {
  const { retry, ...times } = said;
  return { ...implied, ...times, retry: { ...implied.retry, ...retry } };
}

function differences<T extends object>(of: T, base: T): Partial<T> {
  const entries = Object.entries(of).filter(([name, value]) => base[name as keyof T] !== value);
  return Object.fromEntries(entries) as Partial<T>;
}

/** Times of heartbeat and lease that nobody has set leave two thirds of all the time to take over. */
export function withOverrides(base: StepPolicy, overrides: StepPolicyOverrides = {}): StepPolicy {
  const policy = wholePolicy(base, overrides);
  const third = Math.floor(policy.scheduleToCloseMs / 3);
  const heartbeatMs = overrides.heartbeatMs ?? Math.min(base.heartbeatMs, third);
  const leaseMs = overrides.leaseMs ?? Math.min(base.leaseMs, heartbeatMs);
  return { ...policy, heartbeatMs, leaseMs };
}
