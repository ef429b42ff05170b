import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import type { ErrorCode } from '../../contract/errors.ts';
import { ModelError, type Answered } from '../port.ts';
import { readError, type ErrorBody } from './error-body.ts';
import { retryAfterMs } from './retry-after.ts';
import { scrub } from './scrub.ts';
import { misread } from './unusable.ts';

/** What is known of the request that failed. */
export interface FailedRequest {
  model: string;
  signal: AbortSignal;
  timeoutMs: number;
  /** What must stand in no message. */
  secrets: readonly string[];
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
    `The model request failed in an unexpected way: ${scrub(String(error), request.secrets)}`,
    { retryable: true },
  );
}

function unreachable(error: APIConnectionError, { secrets }: FailedRequest): ModelError {
  const reason = scrub(innermost(error), secrets);
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
    scrub(message, request.secrets),
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
  secrets: readonly string[],
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
    scrub(message, secrets),
    {
      retryable,
      retryAfterMs: retryable ? retryAfterMs(undefined, body.message) : undefined,
      rounds: rounds ?? (paid ? PAID_ROUNDS : undefined),
    },
    answered,
  );
}

/** What an error without a status is called, by its code or its type. */
const STATUS_OF: [RegExp, number][] = [
  [/^(?:rate_limit_exceeded|rate_limit_error|resource_exhausted|insufficient_quota)$/, 429],
  [/^(?:invalid_api_key|authentication_error|unauthenticated)$/, 401],
  [/^(?:permission_error|permission_denied)$/, 403],
  [/^(?:model_not_found|not_found_error|not_found)$/, 404],
  [
    /^(?:invalid_request_error|invalid_argument|invalid_prompt|context_length_exceeded|content_filter|content_policy_violation|\w+_policy|\w+_policy_violation)$/,
    400,
  ],
];

function statusOf({ code, type }: ErrorBody): number {
  if (/^[45]\d\d$/.test(code)) return Number(code);
  const named = [code, type].flatMap(
    (name) => STATUS_OF.find(([pattern]) => pattern.test(name))?.[1] ?? [],
  );
  return named[0] ?? 502;
}

function messageOf(what: string, advice: string, said: string): string {
  return [what, advice, said === '' ? '' : `It said: ${said}`].filter((part) => part).join(' ');
}

interface Meaning {
  code: ErrorCode;
  retryable: boolean;
  advice: string;
  rounds?: number;
  /** The model had answered: another request is another round. */
  answered?: true;
}

/** What an account without money is told, with status 429 or another one. */
const NO_CREDIT =
  /^(?:insufficient_quota|insufficient_balance|billing_hard_limit_reached|exceeded_current_quota(?:_error)?)$/;
const FILTERED = /^(?:content_filter|content_policy_violation|\w+_policy|\w+_policy_violation)$/;

function meaningOf(status: number, body: ErrorBody): Meaning {
  const { code, type, message } = body;
  if (status === 402 || NO_CREDIT.test(code) || NO_CREDIT.test(type)) {
    return {
      code: 'model.quota_exhausted',
      retryable: false,
      advice: "Add credit to the provider's account, then start the run again.",
    };
  }
  if (status === 400 && FILTERED.test(code)) {
    return { code: 'model.refused', retryable: false, advice: 'A content filter stopped it.' };
  }
  // The model wrote a call that the endpoint could not read: the next one may be better.
  if (status === 400 && code === 'tool_use_failed') {
    const advice = '';
    return { code: 'model.bad_answer', retryable: true, advice, rounds: 3, answered: true };
  }
  if (status === 408) return { code: 'model.timeout', retryable: true, advice: '' };
  if (status === 429) return { code: 'model.rate_limited', retryable: true, advice: '' };
  if ((status === 409 || status === 422) && namesAnotherBody([code, type, message].join(' '))) {
    return {
      code: 'model.rejected',
      retryable: false,
      advice: 'It has another request under this idempotency key, so it did not answer this one.',
    };
  }
  if (status === 409 || status >= 500) {
    return { code: 'model.unavailable', retryable: true, advice: '' };
  }
  return { code: 'model.rejected', retryable: false, advice: adviceFor(status, message) };
}

/**
 * A gateway's word that the key was used for another request. Any other 409 says that the first
 * request is still under way, as after the death of the worker that sent it: that passes.
 */
function namesAnotherBody(said: string): boolean {
  if (!/idempoten/i.test(said)) return false;
  if (/in[ _-]?(?:progress|flight)|process|concurrent|pending|running|locked/i.test(said))
    return false;
  return /another|different|mismatch|not match|reuse|conflict|other (?:body|request|payload)/i.test(
    said,
  );
}

function adviceFor(status: number, message: string): string {
  if (status === 401 || status === 403) return 'Check OPENAI_API_KEY and what it may do.';
  if (status === 404) return "Check OPENAI_BASE_URL and the model's name.";
  if (/reasoning_effort/.test(message) && /tool/.test(message)) {
    return 'Set OPENAI_API=responses for the worker, or OPENAI_REASONING_EFFORT=none where the run is started.';
  }
  return '';
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value;
}
