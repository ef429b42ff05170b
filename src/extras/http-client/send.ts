import { HttpServiceError, KeyConflictError, NoAnswerError } from './http-error.ts';
import type { ProblemDetails } from './http-error.ts';
import { prepare, type Call, type Prepared } from './prepare.ts';
import type { HttpClientOptions } from './types.ts';

/** Statuses below 500 after which the very same request may do better. */
const RETRIED = new Set([408, 409, 425, 429]);
/** Of a 409 that another try would get again. */
const FINAL_CONFLICTS = new Set([
  'decision.conflict',
  'decision.not_asked',
  'run.expired',
  'run.request_unknown',
]);
const LONGEST_BACKOFF_MS = 10_000;

/**
 * Sends a call until it is answered: the same bytes and the same key each time. Network errors,
 * 408, 409, 425, 429 and 5xx are tried again, after what `Retry-After` says or with a growing,
 * jittered delay. An answer that breaks off, or cannot be read, is none.
 *
 * @param read takes from a success what is wanted of it
 * @throws {InvalidRequestError} the call cannot be sent: nothing was
 * @throws {HttpServiceError} the answer is final and no success
 * @throws {NoAnswerError} the last try was not answered
 */
export async function send<T>(
  options: HttpClientOptions,
  call: Call,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const { attempts = 6 } = options;
  const prepared = prepare(options, call);
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted();
    let delayMs: number | undefined;
    try {
      const response = await sendOnce(options, call, prepared);
      if (response.ok) return await read(response);
      const error = await errorOf(response, call.key);
      if (!isRetried(error) || attempt >= attempts) throw error;
      delayMs = retryAfterMs(response.headers.get('retry-after'));
    } catch (error) {
      if (error instanceof HttpServiceError) throw error;
      call.signal?.throwIfAborted();
      if (attempt >= attempts) throw new NoAnswerError(attempts, call.key, error);
    }
    await sleep(delayMs ?? backoffMs(options, attempt), call.signal);
  }
}

function sendOnce(
  { timeoutMs = 30_000, fetch: doFetch = fetch }: HttpClientOptions,
  { waitSeconds = 0, signal }: Call,
  { url, ...request }: Prepared,
): Promise<Response> {
  const limit = AbortSignal.timeout(timeoutMs + waitSeconds * 1_000);
  return doFetch(url, { ...request, signal: signal ? AbortSignal.any([limit, signal]) : limit });
}

function isRetried({ status, code }: HttpServiceError): boolean {
  return status >= 500 || (RETRIED.has(status) && !FINAL_CONFLICTS.has(code));
}

/** @throws when the answer breaks off: then it is none */
async function errorOf(response: Response, key: string | undefined): Promise<HttpServiceError> {
  const problem = problemIn(await response.text());
  const error = response.status === 422 ? KeyConflictError : HttpServiceError;
  return new error(response.status, problem, key);
}

/** Whatever stands before the service answers in words of its own. */
function problemIn(text: string): ProblemDetails | undefined {
  try {
    const body = JSON.parse(text) as Partial<ProblemDetails> | null;
    return typeof body?.code === 'string' ? (body as ProblemDetails) : undefined;
  } catch {
    return undefined;
  }
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
