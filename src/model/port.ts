import type { ErrorCode } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';

/** One message of a conversation, in no provider's dialect. */
export type ModelMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string | null; calls: ModelCall[] }
  | { role: 'tool'; callId: string; content: string };

/** A tool call as the model wrote it: the arguments are text that may not even be JSON. */
export interface ModelCall {
  id: string;
  name: string;
  arguments: string;
}

export interface ModelTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: JsonObject;
}

export interface ModelRequest {
  model: string;
  messages: ModelMessage[];
  tools: ModelTool[];
  maxOutputTokens?: number;
  temperature?: number;
}

export interface ModelReply {
  /** The model's name as the endpoint reports it. */
  model: string;
  content: string | null;
  calls: ModelCall[];
  finish: 'stop' | 'tool_calls' | 'length' | 'content_filter' | 'other';
  /** `null`: the endpoint did not say. What it cost is unknown then, not nothing. */
  usage: ModelUsage | null;
}

export interface ModelUsage {
  inputTokens: number;
  outputTokens: number;
}

export interface ModelCallContext {
  /** Sent as `Idempotency-Key`. */
  token: string;
  /** Sent as `X-Agent-Run-Id`. */
  workflowId: string;
  /** Aborts the request in flight. */
  signal: AbortSignal;
  /** One request, in milliseconds. */
  timeoutMs: number;
}

/** A language model behind an endpoint. One request per call, never a retry of its own. */
export interface Model {
  /**
   * @throws {ModelError} what went wrong and whether asking again may help
   * @throws the signal's reason when it aborted
   */
  complete(request: ModelRequest, context: ModelCallContext): Promise<ModelReply>;
}

/** A model call that failed. The message is short and free of secrets. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** What the endpoint asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    retry: { retryable: boolean; retryAfterMs?: number | undefined },
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.retryable = retry.retryable;
    this.retryAfterMs = retry.retryAfterMs;
  }
}
