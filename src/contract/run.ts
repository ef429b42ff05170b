import type { OpenQuestion } from './decision.ts';
import type { ErrorCode } from './errors.ts';
import type { JsonValue } from './json-value.ts';
import type { TaskQueues } from './names.ts';
import type { AgentSettings, ResumedOptions } from './settings.ts';
import { NOTHING_USED, type ShadowEffect, type StepUsage } from './step.ts';

/** What a caller may ask of one run; part of the fingerprint. */
export interface RunOptions {
  /** Another model than the agent's own. */
  model?: string;
  /** Models are asked and tools that only read are called; any other effect is only recorded. */
  shadow?: true;
}

/** What may differ between two starts of one request: no part of the fingerprint. */
export interface RunLimits {
  /** Model calls before the run fails, instead of the agent's own. */
  maxTurns?: number;
  /** From 1, whose tasks go first, to 5, instead of the agent's own; Temporal takes 3 for none. */
  priority?: number;
}

/** What may differ besides where a run goes on that has stopped: recorded steps stay as they are. */
export interface ResumeLimits extends RunLimits, ResumedOptions {
  /** Another model than the one that the run was started with. */
  model?: string;
}

export const RUN_STATUSES = ['running', 'waiting', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** How a run can stand in a list: one that was forgotten is there until Temporal deletes it. */
export const LISTED_STATUSES = [...RUN_STATUSES, 'forgotten'] as const;
export type ListedStatus = (typeof LISTED_STATUSES)[number];

/** Calls, tokens and money. `costUsd` is `null` as soon as the price of one call is unknown. */
export interface Usage extends StepUsage {
  turns: number;
  modelCalls: number;
  toolCalls: number;
}

export const NO_USAGE: Usage = { turns: 0, modelCalls: 0, toolCalls: 0, ...NOTHING_USED };

/** The argument of the `agentRun` workflow. */
export interface AgentRunInput {
  v: 1;
  tenant: string;
  agent: string;
  /** The key as it stands in the workflow ID. */
  key: string;
  input?: JsonValue;
  options?: RunOptions;
  limits?: ResumeLimits;
  /**
   * What the tokens of the run begin with; absent: the ID of its first execution, which survives
   * reset and continue-as-new. Present in a run that resumes another, or follows an expired one.
   */
  scope?: string;
  /** Scope of the run that this one follows: no step of it may be claimed any more. */
  retires?: string;
  /** Absent when the caller does not know the agents: then the first model step brings them. */
  settings?: AgentSettings;
  queues: TaskQueues;
  /** Whether the namespace has our search attributes. */
  searchAttributes: boolean;
  /** What the run had reached when it continued as new. */
  carried?: Carried;
  /** What the run that this one resumes has seen recorded. */
  known?: KnownRecords;
}

/** What a run knows to be in its ledger: when it is not there, an earlier state was restored. */
export interface KnownRecords {
  /** Identity of the ledger. */
  ledger: string;
  /** The last turn whose answer the run has seen recorded; the calls of those before it were too. */
  turn: number;
  /** What the run has seen of this turn's calls, by their index. */
  calls?: Record<number, KnownCall>;
}

/** What a run knows of a call: it was recorded, or an attempt of it had this fence. */
export type KnownCall = 'done' | { fence: string };

/** First element of `details` of the failure that ends a run. */
export interface RunFailureDetails {
  usage: Usage;
  /** Of a shadow run: what would have happened, in the model's order. */
  shadow?: ShadowEffect[];
  /** For a resume. */
  known?: KnownRecords;
}

/** What a run takes along when it continues as new: a few numbers, since the ledger has the rest. */
export interface Carried extends RunFailureDetails {
  turn: number;
  lastDigest: string;
}

/** The result of the `agentRun` workflow. */
export interface AgentRunResult extends Omit<RunFailureDetails, 'known'> {
  output: JsonValue;
  /**
   * When the execution started, as ISO 8601: whoever waits for its end need not look for it. Absent
   * after a reset or continue-as-new.
   */
  startedAt?: string;
}

/** What Temporal stores atomically with the start of a run. */
export interface RunMemo {
  fingerprint: string;
  intent: 'new' | 'resume' | 'forgotten';
  /** Absent: the ID of the first execution. Of a tombstone: the scope of what was forgotten. */
  scope?: string;
  /** Run ID of the closed execution that this one follows. */
  predecessor?: string;
  /** ISO 8601 time of the caller's clock. */
  firstSeen: string;
  /** Tells a caller whether the execution under the ID is the one it started. */
  nonce: string;
  /**
   * What the run that this one resumes has seen recorded; once this one is cancelled, what it has. It
   * outlives a termination, which says nothing.
   */
  known?: KnownRecords;
  /** How long after its end the key names this run. */
  ttlMs?: number;
  /** The run is a shadow run: its scope says so too. */
  shadow?: true;
  /** Hash of the agent's definition, where the caller knew it: says later that it has changed. */
  definition?: string;
  /** The key, where the workflow ID holds its hash and keys are not secrets. */
  key?: string;
}

/** Answer to the `state` query: the running picture. */
export interface RunState {
  status: RunStatus;
  turn: number;
  maxTurns: number | null;
  /** Steps under way. */
  active: { step: string; activity: string; summary: string }[];
  /** What it asks people; not empty when the status is `waiting`. */
  waiting: OpenQuestion[];
  usage: Usage;
}

/** Why a run failed, for people and machines. */
export interface RunError {
  code: ErrorCode;
  message: string;
}
