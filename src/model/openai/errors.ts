import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import type { ErrorCode } from '../../contract/errors.ts';
import { ModelError } from '../port.ts';
import { retryAfterMs } from './retry-after.ts';
import { scrub } from './scrub.ts';

/** What is known of the request that failed. */
export interface FailedRequest {
  signal: AbortSignal;
  timeoutMs: number;
  apiKey: string | undefined;
}

/**
 * Turns whatever a request through `openai` threw into a decision: ask again, and when, or not.
 * The result carries no cause: the original message can hold a secret that the endpoint echoed,
 * and a cause would take it into Temporal's history.
 *
 * @returns a `ModelError`; the signal's reason when the signal aborted
 */
export function toModelError(error: unknown, request: FailedRequest): unknown {
  if (request.signal.aborted) return request.signal.reason;
  // By class: nearly all of them are called 'Error'. A timeout is a connection error too.
  if (error instanceof APIConnectionTimeoutError) {
    return new ModelError(
      'model.timeout',
      `The model endpoint did not answer within ${request.timeoutMs} ms.`,
      { retryable: true },
    );
  }
  if (error instanceof APIConnectionError) return unreachable(error, request);
  if (error instanceof APIError) return fromStatus(error, request);
  // Neither of the next two is one of the package's errors: they come from reading the body. By
  // name, since an error from inside Node need not be an instance of this realm's class.
  const name = isError(error) ? error.name : undefined;
  if (name === 'SyntaxError') {
    return new ModelError(
      'model.bad_answer',
      'The model endpoint answered with JSON that cannot be parsed.',
      { retryable: true },
    );
  }
  if (name === 'TypeError') {
    return new ModelError(
      'model.broken_off',
      'The connection to the model endpoint broke off in the middle of the answer.',
      { retryable: true },
    );
  }
  // Not known to be for good, and attempts are counted: asking again is the smaller mistake.
  return new ModelError(
    'internal',
    `The model request failed in an unexpected way: ${scrub(String(error), request.apiKey)}`,
    { retryable: true },
  );
}

function unreachable(error: APIConnectionError, { apiKey }: FailedRequest): ModelError {
  const reason = scrub(innermost(error), apiKey);
  return new ModelError(
    'model.unreachable',
    `The model endpoint cannot be reached${reason === '' ? '' : ` (${reason})`}. Check OPENAI_BASE_URL and that the endpoint runs.`,
    { retryable: true },
  );
}

/** `fetch failed` says nothing: the socket's own error is some causes further down. */
function innermost(error: Error): string {
  let found = error;
  for (let depth = 0; depth < 5 && isError(found.cause); depth++) found = found.cause;
  const { code } = found as { code?: unknown };
  return typeof code === 'string' && !found.message.includes(code)
    ? `${code} ${found.message}`
    : found.message;
}

function fromStatus(error: APIError, { apiKey }: FailedRequest): ModelError {
  const status: number = error.status ?? 0;
  const headers: Headers | undefined = error.headers;
  const { code, retryable, advice } = judge(
    status,
    error.code === 'insufficient_quota' || error.type === 'insufficient_quota',
  );
  // The endpoint knows best.
  const told = headers?.get('x-should-retry');
  const retry = told === 'true' || (told !== 'false' && retryable);
  const said = textOf(error, status);
  const message = [
    `The model endpoint answered ${status}.`,
    advice,
    said === '' ? '' : `It said: ${said}`,
  ].join(' ');
  return new ModelError(code, scrub(message, apiKey), {
    retryable: retry,
    retryAfterMs: retry ? retryAfterMs(headers) : undefined,
  });
}

interface Judgement {
  code: ErrorCode;
  retryable: boolean;
  advice: string;
}

function judge(status: number, outOfQuota: boolean): Judgement {
  if (status === 429 && outOfQuota) {
    return {
      code: 'model.quota_exhausted',
      retryable: false,
      advice: "Add credit to the provider's account, then start the run again.",
    };
  }
  if (status === 408) return { code: 'model.timeout', retryable: true, advice: '' };
  if (status === 429) return { code: 'model.rate_limited', retryable: true, advice: '' };
  if (status === 409 || status >= 500) {
    return { code: 'model.unavailable', retryable: true, advice: '' };
  }
  return { code: 'model.rejected', retryable: false, advice: adviceFor(status) };
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'Check OPENAI_API_KEY and what it may do.';
  if (status === 404) return "Check OPENAI_BASE_URL and the model's name.";
  return '';
}

/** The endpoint's own words, without the status that the package puts before them. */
function textOf(error: APIError, status: number): string {
  const text = error.message.replace(new RegExp(`^${status} ?`), '');
  if (/^\s*</.test(text)) return 'a web page';
  return text === 'status code (no body)' ? '' : text;
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value;
}
