import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { ModelError, type Answered } from '../port.ts';
import { readError, type ErrorBody } from './error-body.ts';
import { meaningOf, statusOf } from './error-meaning.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Scrub } from './scrub.ts';
import { misread } from './unusable.ts';

/** What is known of the request that failed. */
export interface FailedRequest {
  model: string;
  signal: AbortSignal;
  timeoutMs: number;
  /** What must stand in no message. */
  scrub: Scrub;
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
  if (error instanceof APIError) {
    return fromStatus(error.status ?? 0, readError(error.error), error.headers, request);
  }
  // Neither of the next two is one of the package's errors: they come from reading the body. By
  // name, since an error from inside Node need not be an instance of this realm's class.
  const name = isError(error) ? error.name : undefined;
  if (name === 'SyntaxError') {
    return misread('JSON that cannot be parsed', { model: request.model, usage: null });
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
    `The model request failed in an unexpected way: ${request.scrub(String(error))}`,
    { retryable: true },
  );
}

function unreachable(error: APIConnectionError, { scrub }: FailedRequest): ModelError {
  const reason = scrub(innermost(error));
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

function fromStatus(
  status: number,
  body: ErrorBody,
  headers: Headers | undefined,
  request: FailedRequest,
): ModelError {
  const meaning = meaningOf(status, body);
  // The endpoint knows best; but money that is not there does not come by itself.
  const told = headers?.get('x-should-retry');
  const retryable =
    meaning.code !== 'model.quota_exhausted' &&
    (told === 'true' || (told !== 'false' && meaning.retryable));
  const message = messageOf(`The model endpoint answered ${status}.`, meaning.advice, body.message);
  return new ModelError(
    meaning.code,
    request.scrub(message),
    {
      retryable,
      retryAfterMs: retryable ? retryAfterMs(headers, body.message) : undefined,
      rounds: meaning.rounds,
    },
    meaning.answered ? { model: request.model, usage: null } : undefined,
  );
}

/** An answer that ends in an error was perhaps paid for: it is asked for as often as any such. */
const PAID_ROUNDS = 3;

/**
 * An error that came with status 200, as gateways answer that had begun before something failed.
 * They tell the status, or OpenAI's name for it, as the error's code.
 *
 * @param answered the answer is whole, and is not asked for again under its token
 * @param begun whether a part of an answer came with it
 */
export function fromErrorInAnswer(
  body: ErrorBody,
  answered: Answered,
  scrub: Scrub,
  begun = false,
): ModelError {
  const status = statusOf(body);
  const { code, retryable, advice, rounds } = meaningOf(status, body);
  const message = messageOf(
    `The model endpoint answered 200 with an error in its body (${status}).`,
    advice,
    body.message,
  );
  const used =
    answered.usage === null ? 0 : answered.usage.inputTokens + answered.usage.outputTokens;
  const paid = begun || used > 0;
  return new ModelError(
    code,
    scrub(message),
    {
      retryable,
      retryAfterMs: retryable ? retryAfterMs(undefined, body.message) : undefined,
      rounds: rounds ?? (paid ? PAID_ROUNDS : undefined),
    },
    answered,
  );
}

function messageOf(what: string, advice: string, said: string): string {
  return [what, advice, said === '' ? '' : `It said: ${said}`].filter((part) => part).join(' ');
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value;
}
