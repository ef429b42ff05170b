import type { OpenQuestion } from '../../contract/decision.ts';
import type { JsonValue } from '../../contract/json-value.ts';
import type { RunError, RunLimits, RunOptions, RunStatus, Usage } from '../../contract/run.ts';

/** A run, as the HTTP service shows it. Times are ISO 8601. */
export interface HttpRun {
  /** The run's ID, for the other calls. */
  id: string;
  runId: string;
  agent: string;
  tenant: string;
  key: string;
  status: RunStatus;
  result: JsonValue | null;
  error: RunError | null;
  usage: Usage | null;
  waiting: OpenQuestion[];
  /** How many more questions it has; present where no worker answered, which alone knows them. */
  waitingMore?: number;
  startedAt: string;
  closedAt: string | null;
}

export interface HttpStartRequest {
  agent: string;
  /** The idempotency key; absent: a UUID v4 is made, and kept over all tries of this call. */
  key?: string;
  input?: JsonValue;
  options?: RunOptions;
  limits?: RunLimits;
  /** How long the answer may take if that brings the result, in seconds. */
  waitSeconds?: number;
  signal?: AbortSignal;
}

export interface HttpStartedRun extends HttpRun {
  /** The run was there already: this call made none. */
  replayed: boolean;
}

/** What happens in a run: a step has changed, the run has, it has ended. */
export type RunEvent =
  | { type: 'step'; id: string; step: Record<string, JsonValue> }
  | { type: 'run'; run: HttpRun }
  | { type: 'end'; run: HttpRun };

export interface HttpClientOptions {
  /** Such as `https://agents.example.com`. */
  baseUrl: string;
  apiKey?: string;
  /** Tries of one call, the first included; default 6. */
  attempts?: number;
  /** Waiting before the second try, in milliseconds; doubled each time, up to 10 s. Default 250. */
  backoffMs?: number;
  /** One try, in milliseconds, besides what it was asked to wait; default 30 s. */
  timeoutMs?: number;
  /** Default: the global one. */
  fetch?: typeof fetch;
}
