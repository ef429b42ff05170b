import type { PendingResponse } from '../contract/asking.ts';
import type { ErrorCode } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import type { JsonValue } from '../contract/json-value.ts';
import type { ModelOptions } from '../contract/settings.ts';

/**
 * What an endpoint wants back with the next request, as it sent it: signatures of thoughts, thoughts
 * themselves, encrypted or not. It is kept with the turn and read by nobody else. Another dialect,
 * another server or another model would refuse it, so it says whose it is.
 */
export interface OpaquePart {
  dialect: string;
  /** Scheme, host and port of the endpoint. */
  origin: string;
  /** The model that was asked for. */
  model: string;
  data: JsonValue;
}

/** One message of a conversation, in no provider's dialect. */
export type ModelMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string | null; calls: ModelCall[]; opaque?: OpaquePart }
  | { role: 'tool'; callId: string; content: string };

/** A tool call as the model wrote it: the arguments are text that may not even be JSON. */
export interface ModelCall {
  /** In a conversation, unique in it. In a reply, whatever the endpoint calls it. */
  id: string;
  name: string;
  arguments: string;
  opaque?: OpaquePart;
}

export interface ModelTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: JsonObject;
}

export interface ModelRequest extends ModelOptions {
  /** Wins over what the endpoint has in the place of the agent's options. */
  over?: ModelOptions;
  /** Name of an endpoint of the app's own; absent: the one of the environment. */
  endpoint?: string;
  model: string;
  messages: ModelMessage[];
  tools: ModelTool[];
  /** What the final answer must be, as JSON Schema of an object; absent: any text. */
  output?: { name: string; schema: JsonObject };
}

/** A whole answer that the run can go on with. */
export interface ModelReply {
  /** The model's name as the endpoint reports it. */
  model: string;
  /** Not blank, unless there are calls. */
  content: string | null;
  calls: ModelCall[];
  opaque?: OpaquePart;
  finish: 'stop' | 'tool_calls';
  /** `null`: the endpoint did not say. What it cost is unknown then, not nothing. */
  usage: ModelUsage | null;
}

export interface ModelUsage {
  inputTokens: number;
  outputTokens: number;
  /** Parts of `inputTokens`; absent where the endpoint does not tell them. */
  cachedInputTokens?: number;
  cacheWriteTokens?: number;
  /** A part of `outputTokens`. */
  reasoningTokens?: number;
}

export interface ModelCallContext {
  /** The step's token. The request's own, sent as `Idempotency-Key`, is made of it. */
  token: string;
  /** Counts the whole answers to this step that were unusable; a part of the request's token. */
  round: number;
  /** Sent as `X-Agent-Run-Id`. */
  workflowId: string;
  /** Aborts the request in flight. */
  signal: AbortSignal;
  /** One request, in milliseconds. */
  timeoutMs: number;
  /** Sent besides, such as the trace that the request belongs to; no part of the request's token. */
  headers?: Readonly<Record<string, string>>;
  /**
   * Gets the answer's text as it comes, where the endpoint streams: neither thoughts nor calls. A text
   * may come in vain, since its answer can break off. What it throws is lost.
   */
  onText?(text: string): void;
  /** Absent: nothing is made in the background. */
  background?: Background;
}

/** A response that is made in the background, without what only the step knows of it. */
export type BackgroundResponse = Omit<PendingResponse, 'endpoint' | 'round'>;

/** Keeps the response that an endpoint makes in the background for a step. */
export interface Background {
  /** What an earlier attempt has left, to be asked for in the place of a new one. */
  pending: BackgroundResponse | undefined;
  /**
   * Called with a response before it is asked for, and with `undefined` where the one that was left is
   * none of this endpoint, before another is made.
   *
   * @throws {ModelError} `model.broken_off`
   * @throws {AgentOnceError} `step.claim_lost`, `ledger.unreachable`
   */
  keep(response: BackgroundResponse | undefined): Promise<void>;
  /** Whether the run is cancelled, so that nobody wants the response any more. */
  isCancelled(): boolean;
}

/** A language model behind an endpoint. */
export interface Model {
  /** Names of the app's endpoints; default: it has none. */
  readonly endpoints?: readonly string[];
  /**
   * Asks once. An answer that is made in the background is asked for until it is there, or the time is
   * over (`model.pending`): then it goes on. Only where the endpoint refuses what it is to get back, which it does before it
   * thinks, the same is asked once more without that.
   *
   * @throws {AgentOnceError} `model.unknown_endpoint`, `model.no_key`
   * @throws {ModelError} what went wrong and whether asking again may help
   * @throws the signal's reason when it aborted
   */
  complete(request: ModelRequest, context: ModelCallContext): Promise<ModelReply>;
  /** Cancels what is made in the background, in three seconds. Absent: nothing is made there. */
  cancel?(pending: PendingResponse, context: CancelContext): Promise<void>;
}

export type CancelContext = Pick<ModelCallContext, 'token' | 'round' | 'workflowId' | 'headers'>;

/**
 * Why an endpoint did not take a request, which cost nothing: `for-good`, the account has no credit or
 * the model is gone; `overloaded`, it may take the next one.
 */
export type Refusal = 'for-good' | 'overloaded';

/** Whether asking again may help, and how. */
export interface Retry {
  retryable: boolean;
  /** What the endpoint asks to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /**
   * How many whole answers are asked for in all, this one included, before the step fails: each is
   * paid. Default: as many as the policy has attempts.
   */
  rounds?: number | undefined;
  /** Absent: the request was taken, or nobody knows. */
  refusal?: Refusal | undefined;
  /** No answer came, and the endpoint may have made one. */
  mayBePaid?: boolean | undefined;
}

/** A whole answer that was read and is unusable. */
export interface Answered {
  /** As the endpoint reports it, for the price. */
  model: string;
  /** `null`: not known. */
  usage: ModelUsage | null;
}

/** A model call that failed. The message is short and free of secrets. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly rounds: number | undefined;
  readonly refusal: Refusal | undefined;
  readonly mayBePaid: boolean;
  /** Absent: no whole answer came. */
  readonly answered: Answered | undefined;

  constructor(code: ErrorCode, message: string, retry: Retry, answered?: Answered) {
    super(message);
    this.code = code;
    this.retryable = retry.retryable;
    this.retryAfterMs = retry.retryAfterMs;
    this.rounds = retry.rounds;
    this.refusal = retry.refusal;
    this.mayBePaid = retry.mayBePaid === true;
    this.answered = answered;
  }
}

/** The end of an attempt, not of the response. */
export function stillPending(): ModelError {
  return new ModelError(
    'model.pending',
    'The model endpoint still makes the answer, in the background. The next attempt asks for it.',
    { retryable: true },
  );
}
