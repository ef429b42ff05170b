import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import type { ErrorCode } from '../../contract/errors.ts';
import { ModelError, type Answered } from '../port.ts';
import { readError, type ErrorBody } from './error-body.ts';
import { retryAfterMs } from './retry-after.ts';
import { scrub } from './scrub.ts';
import { badAnswer } from './unusable.ts';

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
    return badAnswer('JSON that cannot be parsed', { model: request.model, usage: null });
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
  const judged = judge(status, body);
  // The endpoint knows best.
  const told = headers?.get('x-should-retry');
  const retryable = told === 'true' || (told !== 'false' && judged.retryable);
  const message = messageOf(`The model endpoint answered ${status}.`, judged.advice, body.message);
  return new ModelError(
    judged.code,
    scrub(message, request.secrets),
    {
      retryable,
      retryAfterMs: retryable ? retryAfterMs(headers, body.message) : undefined,
      rounds: judged.rounds,
    },
    judged.answered ? { model: request.model, usage: null } : undefined,
  );
}

/**
 * An error that came with status 200, as gateways answer that had begun before something failed.
 * They tell the status as the error's code.
 *
 * @param answered the answer is whole, and is not asked for again under its token
 */
export function fromErrorInAnswer(
  body: ErrorBody,
  answered: Answered,
  secrets: readonly string[],
): ModelError {
  const status = STATUS_OF[body.code] ?? Number(/^[45]\d\d$/.exec(body.code)?.[0] ?? 502);
  const { code, retryable, advice, rounds } = judge(status, body);
  const message = messageOf(
    `The model endpoint answered 200 with an error in its body (${status}).`,
    advice,
    body.message,
  );
  return new ModelError(
    code,
    scrub(message, secrets),
    {
      retryable,
      retryAfterMs: retryable ? retryAfterMs(undefined, body.message) : undefined,
      rounds,
    },
    answered,
  );
}

/** What a response that failed has in the place of a status. */
const STATUS_OF: Readonly<Record<string, number>> = {
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  invalid_prompt: 400,
  bio_policy: 400,
  content_filter: 400,
};

function messageOf(what: string, advice: string, said: string): string {
  return [what, advice, said === '' ? '' : `It said: ${said}`].filter((part) => part).join(' ');
}

interface Judgement {
  code: ErrorCode;
  retryable: boolean;
  advice: string;
  rounds?: number;
  /** The model had answered: another request is another round. */
  answered?: true;
}

/** What an account without money is told with status 429, which otherwise means to wait. */
const NO_CREDIT =
  /^(?:insufficient_quota|insufficient_balance|billing_hard_limit_reached|exceeded_current_quota(?:_error)?)$/;

function judge(status: number, body: ErrorBody): Judgement {
  const { code, type, message } = body;
  const noCredit = NO_CREDIT.test(code) || NO_CREDIT.test(type);
  if (status === 402 || (status === 429 && noCredit)) {
    return {
      code: 'model.quota_exhausted',
      retryable: false,
      advice: "Add credit to the provider's account, then start the run again.",
    };
  }
  if (status === 400 && /^(?:content_filter|content_policy_violation|bio_policy)$/.test(code)) {
    return { code: 'model.refused', retryable: false, advice: 'A content filter stopped it.' };
  }
  // The model wrote a call that the endpoint could not read: the next one may be better.
  if (status === 400 && code === 'tool_use_failed') {
    return {
      code: 'model.bad_answer',
      retryable: true,
      advice: '',
      rounds: 3,
      answered: true,
    };
  }
  if (status === 408) return { code: 'model.timeout', retryable: true, advice: '' };
  if (status === 429) return { code: 'model.rate_limited', retryable: true, advice: '' };
  if ((status === 409 || status === 422) && namesAnotherBody(code, type, message)) {
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

/** A gateway's word that the key is used for something else; not that the first is under way. */
function namesAnotherBody(...said: string[]): boolean {
  const text = said.join(' ');
  return /idempoten/i.test(text) && !/in[ _-]progress|concurrent|processing|pending/i.test(text);
}

function adviceFor(status: number, message: string): string {
  if (status === 401 || status === 403) return 'Check OPENAI_API_KEY and what it may do.';
  if (status === 404) return "Check OPENAI_BASE_URL and the model's name.";
  if (/reasoning_effort/.test(message) && /tool/.test(message)) {
    return 'Set OPENAI_API=responses, or OPENAI_REASONING_EFFORT=none.';
  }
  return '';
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value;
}
