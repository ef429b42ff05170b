import type { OpenQuestion, QuestionTerms } from './decision.ts';
import { defined } from './defined.ts';
import type { JsonValue } from './json-value.ts';
import type { AgentSettings, ResumedOptions, StepPolicyOverrides } from './settings.ts';

/**
 * What a tool does to the world, and so what may happen when an attempt ends without a recorded
 * result. `docs/promises.md` has the table.
 */
export const EFFECTS = ['read', 'keyed', 'transactional', 'reconcile', 'at-most-once'] as const;
export type Effect = (typeof EFFECTS)[number];

/** How a step runs: as an ordinary activity or, where it is short, as a local one. */
export type Lane = 'standard' | 'fast';

/** The step of turn `turn`'s model call. */
export function modelStep(turn: number): string {
  return `t${turn}.model`;
}

/** The step of the `index`-th tool call that turn `turn` asked for. */
export function toolStep(turn: number, index: number): string {
  return `t${turn}.c${index}`;
}

/** The turn of rows that are no part of a conversation, such as a notice: behind all others. */
export const OUTSIDE_TURNS = 2 ** 31 - 1;

/** A step's own idempotency token: the same in every attempt, replay, reset and resume. */
export function tokenOf(scope: string, step: string): string {
  return `${scope}:${step}`;
}

/**
 * A scope, from what makes it unique. That of a shadow run says what it is, so that none of its
 * steps is ever a real one's.
 */
export function scopeFrom(unique: string, shadow?: boolean): string {
  return shadow ? `shadow.${unique}` : unique;
}

/** Whether a scope, or a token that begins with it, is a shadow run's. */
export function isShadow(scope: string): boolean {
  return scope.startsWith('shadow.');
}

/** What is new to the model in a turn, besides the results of the preceding turn's tools. */
export interface UserMessage {
  role: 'user';
  content: JsonValue;
}

/** Which run a step belongs to. */
export interface StepRun {
  tenant: string;
  agent: string;
  /** The key as it stands in the workflow ID. */
  key: string;
  scope: string;
  /** Effects are recorded and not executed. */
  shadow?: true;
}

/** Argument of the `callModel` activity. It holds what is new, never the conversation. */
export interface ModelStepInput {
  run: StepRun;
  turn: number;
  /** Of the policy what differs from `IMPLIED_MODEL_POLICY`. */
  settings?: Omit<AgentSettings, 'modelPolicy'> & { modelPolicy: StepPolicyOverrides };
  /** Model named by the run's limits or options. */
  model?: string;
  /** Instead of those of the settings. */
  modelOptions?: ResumedOptions;
  messages: UserMessage[];
  /** Scope that ends with the first step of this run. */
  retires?: string;
  /** Digest of the preceding turn's model step. */
  previous: string | null;
  /** The ledger had the preceding turn's answer: it may have this one's too. */
  resuming?: true;
  /** The turn is the first that a resumed run asks for itself: it begins at the run's first model. */
  resumed?: true;
  /** Identity of the ledger that the run knows. */
  ledger?: string;
  /** An earlier execution of the run has seen this turn's answer recorded in it. */
  recorded?: true;
}

/** Parts of the tokens of recorded answers, as far as endpoints told them. */
export interface TokenParts {
  /** Input that was read from the endpoint's cache. */
  cachedInputTokens?: number;
  /** Output that was thinking. */
  reasoningTokens?: number;
}

/** What a step used. `costUsd` is `null` where it is not known; it is never zero then. */
export interface StepUsage extends TokenParts {
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}

export const NOTHING_USED: StepUsage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };

/** Adds what two answers used; of the second it may be unknown. */
export function addUsage(a: StepUsage, b: StepUsage | null | undefined): StepUsage {
  if (!b) return { ...a, costUsd: null };
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: addUsd(a.costUsd, b.costUsd),
    ...defined({
      cachedInputTokens: addTold(a.cachedInputTokens, b.cachedInputTokens),
      reasoningTokens: addTold(a.reasoningTokens, b.reasoningTokens),
    }),
  };
}

function addTold(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}

/** What is not known is something. */
export function usedAnything({ inputTokens, outputTokens, costUsd }: StepUsage): boolean {
  return inputTokens > 0 || outputTokens > 0 || costUsd !== 0;
}

/** Adds amounts of money; unknown stays unknown. Rounded, since 0.1 + 0.2 is not what people read. */
export function addUsd(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.round((a + b) * 1e9) / 1e9;
}

/** First element of `details` of the failure of a step. */
export interface StepFailureDetails {
  /** What it has used all the same. */
  usage?: StepUsage;
  /** Of an attempt that may have had its effect. */
  fence?: string;
}

/** A tool call that the model asked for and that passed the tool's schema, as history shows it. */
export interface PlannedCall {
  index: number;
  tool: string;
  /** One line for people, such as `order 1042 · 25.00 EUR`. */
  summary: string;
  effect: Effect;
  /** What differs from `IMPLIED_TOOL_POLICY`. */
  policy: StepPolicyOverrides;
  /** Absent: the standard lane. */
  lane?: 'fast';
  /** SHA-256 of tool and canonical arguments. */
  digest: string;
  /** Present when a person may be asked about the call. */
  questions?: QuestionTerms;
}

/**
 * How a step's result came to be known: this execution ran it; the ledger had it; `find` of a
 * `reconcile` tool found it; a person said so; a shadow run pretended it.
 */
export type KnownBy = 'executed' | 'ledger' | 'find' | 'person' | 'shadow';

/** Result of the `callModel` activity. */
export interface ModelStepResult {
  digest: string;
  /**
   * The final answer: present when the model asked for no tool, unless its answer is asked for again.
   */
  output?: JsonValue;
  /** Calls to run now. Identical calls of the turn appear once; refused ones not at all. */
  calls: PlannedCall[];
  /** Calls that went back to the model as errors: unknown tools, wrong arguments. */
  refused: number;
  usage: StepUsage;
  knownBy: KnownBy;
  /** Attempts whose answer never reached the ledger: each may have been paid for. */
  possiblyPaid: number;
  /** Token of the call of another run whose answer this is; it is paid for there. */
  sharedWith?: string;
  /** Identity of the ledger that has the answer. */
  ledger?: string;
  /** Present when the start did not bring them. */
  settings?: AgentSettings;
}

/** Argument of a `tool.<name>` activity. The arguments of the call are in the ledger. */
export interface ToolStepInput extends Omit<PlannedCall, 'effect' | 'lane'> {
  run: StepRun;
  turn: number;
  historyResults: AgentSettings['historyResults'];
  /** Identity of the ledger that had the answer which asks for the call, when the run first saw it. */
  ledger?: string;
  /** The run has seen the call's result recorded. */
  recorded?: true;
  /** Fence of an attempt that the run knows of: its ledger has this one or a higher one. */
  fence?: string;
}

/** Result of a `tool.<name>` activity: the call is done, or waits for a person. */
export type ToolStepResult = ToolStepDone | ToolStepWaiting;

/** Nothing runs until a person has answered; then the step is scheduled again. */
export interface ToolStepWaiting {
  waiting: OpenQuestion;
  /** Of the attempt whose outcome is asked about. */
  fence?: string;
}

/** How a call ended, as history shows it: the whole is in the ledger. */
export interface ToolStepDone {
  preview?: string;
  bytes: number;
  knownBy: KnownBy;
  attempts: number;
  /** Token of the step whose result this is, or under whose token it acted. */
  sharedWith?: string;
  /** What was not executed, since the run is a shadow run. */
  shadow?: ShadowEffect;
}

/** What a call of a shadow run would have done. */
export interface ShadowEffect {
  /** `t2.c0`. */
  step: string;
  tool: string;
  effect: Effect;
  /** One line for people. */
  summary: string;
  /** As JSON, cut to 2 KB; absent where history shows no results. */
  arguments?: string;
  /** What the other side would have been sent as its idempotency key. */
  token: string;
  /** Whether a person would have been asked first. */
  approval: boolean;
}

/** Of a run that is cancelled. */
export interface PassOnCancellationInput {
  scope: string;
  /** The agent and the model step of the turn that it is in; absent in runs of an earlier version. */
  agent?: string;
  step?: string;
}
