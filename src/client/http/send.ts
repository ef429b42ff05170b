import {
  HttpServiceError,
  KeyConflictError,
  NoAnswerError,
  type ProblemDetails,
} from './http-error.ts';
import type { HttpClientOptions } from './types.ts';

/** One call of the service. */
export interface Call {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Seconds that the service was asked to wait with its answer. */
  waitSeconds?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Statuses after which the very same request may do better. 409 says that it is still being worked
 * on; a 409 with another reason says so by having no `Retry-After`.
 */
const RETRIED = new Set([408, 425, 429, 500, 502, 503, 504]);
const LONGEST_BACKOFF_MS = 10_000;

/**
 * Sends a call until it is answered: the same bytes and the same key each time. Network errors,
 * 408, 409, 425, 429 and 5xx are tried again, after what `Retry-After` says or with a growing,
 * jittered delay.
 *
 * @throws {HttpServiceError} the answer is final and no success
 * @throws {NoAnswerError} no try was answered
 */
export async function send(options: HttpClientOptions, call: Call): Promise<Response> {
  const { attempts = 6 } = options;
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted();
    let delayMs: number | undefined;
    try {
      const response = await sendOnce(options, call);
      if (response.ok || response.status === 304) return response;
      if (!isRetried(response) || attempt >= attempts) throw await errorOf(response);
      delayMs = retryAfterMs(response.headers.get('retry-after'));
      await response.body?.cancel();
    } catch (error) {
      if (error instanceof HttpServiceError) throw error;
      call.signal?.throwIfAborted();
      if (attempt >= attempts) throw new NoAnswerError(attempts, keyOf(call), error);
    }
    await sleep(delayMs ?? backoffMs(options, attempt), call.signal);
  }
}

async function sendOnce(options: HttpClientOptions, call: Call): Promise<Response> {
  const { baseUrl, apiKey, timeoutMs = 30_000, fetch: doFetch = fetch } = options;
  const limit = AbortSignal.timeout(timeoutMs + (call.waitSeconds ?? 0) * 1_000);
  return doFetch(new URL(call.path, baseUrl), {
    method: call.method,
    headers: {
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    signal: call.signal ? AbortSignal.any([limit, call.signal]) : limit,
  });
}

function isRetried({ status, headers }: Response): boolean {
  return RETRIED.has(status) || (status === 409 && headers.has('retry-after'));
}

async function errorOf(response: Response): Promise<HttpServiceError> {
  const problem = await response
    .json()
    .then((body) => body as ProblemDetails)
    .catch(() => undefined);
  const error = response.status === 422 ? KeyConflictError : HttpServiceError;
  return new error(response.status, problem);
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3), in milliseconds. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function backoffMs({ backoffMs: first = 250 }: HttpClientOptions, attempt: number): number {
  const most = Math.min(first * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
  return most * (0.5 + Math.random() / 2);
}

function keyOf({ headers }: Call): string | undefined {
  const header = headers?.['idempotency-key'];
  return header === undefined ? undefined : unquote(header);
}

/** A key as a structured field string (RFC 9651 section 4.1.6). */
export function quote(key: string): string {
  return `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
}

function unquote(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
