import type { Client } from '@temporalio/client';
import type { z } from 'zod';
import type { OpenQuestion } from '../contract/decision.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json-value.ts';
import type {
  ListedStatus,
  ResumeLimits,
  RunError,
  RunOptions,
  RunState,
  RunStatus,
  Usage,
} from '../contract/run.ts';
import type { AgentSettings } from '../contract/settings.ts';
import type { ShadowEffect } from '../contract/step.ts';

/**
 * An agent's name, or the agent itself: only its name is read, and what its runs result in has the type
 * of its `output`. A run that an earlier version of the agent has answered may have another result.
 */
export type AgentOf<Output> = string | { name: string; output?: z.ZodType<Output> };

/** A request or a reference that may name its agent by its definition. */
export type ByAgent<Named extends { agent: string }, Output = unknown> = Omit<Named, 'agent'> & {
  agent: AgentOf<Output>;
};

/** Names a run; `tenant` is the default one when absent. */
export interface RunRef {
  agent: string;
  key: string;
  tenant?: string;
}

/** What a run is asked for; with its key, agent and tenant it is the request that the key names. */
export interface StartRequest {
  agent: string;
  /** The idempotency key; absent: a UUID v4 is made and returned. */
  key?: string;
  tenant?: string;
  input?: JsonValue;
  options?: RunOptions;
  /**
   * May differ between two starts of one request. With `model`, `reasoningEffort` or
   * `maxOutputTokens` a run can only be resumed: it takes `retryFailed`, and starts no new run.
   */
  limits?: ResumeLimits;
  /**
   * Resumes the run if it has failed: what is recorded is not repeated, what failed runs again. If
   * `options.model` is all that differs from the first request, it is the same request, and the
   * resumed run goes on with that model.
   */
  retryFailed?: boolean;
  /**
   * For callers without a key: the request's fingerprint is the key, for this long from its first
   * start on, in milliseconds. A run that is still going is attached to however old it is.
   */
  dedupeWindowMs?: number;
}

export interface ResumeOptions {
  /** Each instead of the one that the run had; those that are not named are kept. */
  limits?: ResumeLimits;
}

/** What is known of a run; the fields of the command's `--json`. Times are ISO 8601. */
export interface RunView<Output = JsonValue> {
  workflowId: string;
  /** Changes when the run continues as new or is reset. */
  runId: string;
  agent: string;
  tenant: string;
  key: string;
  status: RunStatus;
  /** The final answer, when completed. */
  result: Output | null;
  /** When failed or cancelled. */
  error: RunError | null;
  /** `null`: not known, as of a running run while no worker answers. */
  usage: Usage | null;
  /** What it asks people; not empty when `waiting`. */
  waiting: OpenQuestion[];
  /** How many more questions it has; present where no worker answered, which alone knows them. */
  waitingMore?: number;
  /** Of a shadow run only: what would have happened, once it has ended. */
  shadow?: ShadowEffect[];
  startedAt: string;
  closedAt: string | null;
}

/** The run that a key names after a start. */
export interface StartedRun<Output = JsonValue> extends RunView<Output> {
  /** The run was there already: this start made none. */
  replayed: boolean;
  /** The request had no key. Repeating it needs the one that was made. */
  keyGenerated: boolean;
  /** The run goes on where a failed execution stopped. */
  resumed: boolean;
  /**
   * The agent's definition is another than when the run that is resumed was started: its recorded
   * steps count, and what comes follows the new definition.
   */
  definitionChanged: boolean;
}

export interface CancelledRun extends RunView {
  /** `false`: the run had ended already. */
  cancelRequested: boolean;
}

/** What a list shows of a run. */
export interface RunSummary {
  workflowId: string;
  runId: string;
  agent: string;
  tenant: string;
  /** As it stands in the workflow ID, where it is not known otherwise: then `~` and its hash. */
  key: string;
  status: ListedStatus;
  /** It is a shadow run. */
  shadow: boolean;
  /** Why it failed or was cancelled; `null` too where Temporal no longer says. */
  error: ErrorCode | null;
  /** What it asks people, of many questions the first; not empty when `waiting`. */
  waiting: OpenQuestion[];
  /** How many more questions it has. */
  waitingMore?: number;
  /** `null`: not known, as until the run has ended, or without search attributes. */
  costUsd: number | null;
  startedAt: string;
  /** Of a forgotten run: when it was forgotten. */
  closedAt: string | null;
}

/** Which runs a list has; absent: all. */
export interface ListFilter {
  agent?: string;
  /** Absent: of all tenants. */
  tenant?: string;
  status?: ListedStatus;
  /** Only runs that started after, or before, this moment: ISO 8601. */
  startedAfter?: string;
  startedBefore?: string;
  /** Only runs whose cost is known, and at least this. */
  costAtLeastUsd?: number;
  limit?: number;
}

/** What a waiter learns on the way. */
export interface RunProgress {
  workflowId: string;
  /** Whether a worker polls for the run: without one it goes on when one starts. */
  hasWorker: boolean;
  /** Absent while no worker answers. */
  state?: RunState;
  /** What it asks people; known without a worker too. */
  waiting: OpenQuestion[];
}

/** How a run's end is waited for. */
export interface WaitOptions {
  /**
   * The execution that is meant, whatever the key names by now: the `runId` that `start` answered.
   * It is waited for without a look at it first.
   */
  runId?: string;
  /** How long to wait, in milliseconds; absent: until the run ends. */
  timeoutMs?: number;
  /** Ends the waiting, never the run. `result` then rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Whether the waiting ends too when the run waits for a person: `result` then rejects with
   * `run.waiting`, two to thirty seconds later: the longer somebody here has waited, the later.
   */
  untilWaiting?: boolean;
  /** Called about twice a second. */
  onProgress?: (progress: RunProgress) => void;
}

/** The agents that a caller knows: a registry is one. */
export interface AgentDirectory {
  names(): string[];
  settingsOf(agent: string, options?: RunOptions): AgentSettings | undefined;
  /** Hash of the agent's definition. */
  definitionOf?(agent: string): string | undefined;
  /** Whether it has tools in the fast lane. */
  hasFastTools?(agent: string): boolean;
}

export interface ClientOptions {
  /** A connected client of `@temporalio/client`. */
  temporal: Client;
  /** Ends its connection, when this client is closed; absent: that stays the caller's to do. */
  close?: () => Promise<void>;
  /** Absent: names are not checked, and the first model step brings the agent's settings. */
  registry?: AgentDirectory;
  /** Whether the namespace has our search attributes; default true. */
  searchAttributes?: boolean;
  /** Whether keys are secrets; default false. Changing it makes every key new. */
  hashKeys?: boolean;
  /** As the workers have it; default false. */
  splitTaskQueues?: boolean;
  /** One request to Temporal, its retries included, in milliseconds; default 10 s. */
  requestTimeoutMs?: number;
}
