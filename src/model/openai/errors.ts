import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { AgentOnceError, type ErrorCode } from '../../contract/errors.ts';
import { ModelError, type Answered } from '../port.ts';
import type { EndpointNames } from './endpoint.ts';
import { readError, type ErrorBody } from './error-body.ts';
import { meaningOf, statusOf, type AboutEndpoint } from './error-meaning.ts';
import { retryAfterMs } from './retry-after.ts';

/** What is known of the request that failed. */
export interface FailedRequest extends AboutEndpoint {
  model: string;
  signal: AbortSignal;
  timeoutMs: number;
}

/**
 * Turns whatever a request through `openai` threw into a decision: ask again, and when, or not.
 * The result carries no cause: the original message can hold a secret that the endpoint echoed,
 * and a cause would take it into Temporal's history.
 *
 * @returns a `ModelError`; the signal's reason when the signal aborted
 */
export function toModelError(error: unknown, request: FailedRequest): unknown {
  const { model, signal, timeoutMs, scrub, names } = request;
  if (signal.aborted) return signal.reason;
  if (error instanceof ModelError || error instanceof AgentOnceError) return error;
  const again = (code: ErrorCode, message: string, mayBePaid = false): ModelError =>
    new ModelError(code, message, { retryable: true, mayBePaid });
  // By class: nearly all of them are called 'Error'. A timeout is a connection error too.
  if (error instanceof APIConnectionTimeoutError) {
    return again('model.timeout', `The model endpoint did not answer within ${timeoutMs} ms.`);
  }
  if (error instanceof APIConnectionError) {
    const reason = scrub(innermost(error));
    const mayBePaid = BROKEN.test(reason);
    return again(
      'model.unreachable',
      `The model endpoint cannot be reached${reason === '' ? '' : ` (${reason})`}. Check ${names.baseUrl} and that the endpoint runs.`,
      mayBePaid,
    );
  }
  if (error instanceof APIError) {
    const status = error.status ?? 0;
    const what = `The model endpoint answered ${status}.`;
    return fromBody(what, status, readError(error.error), request, { headers: error.headers });
  }
  // Neither of the next two is one of the package's errors: they come from reading the body. By
  // name, since an error from inside Node need not be an instance of this realm's class.
  const name = isError(error) ? error.name : undefined;
  if (name === 'SyntaxError')
    return misread('JSON that cannot be parsed', names, { model, usage: null });
  if (name === 'TypeError') {
    return again(
      'model.broken_off',
      'The connection to the model endpoint broke off in the middle of the answer.',
    );
  }
  // Not known to be for good, and attempts are counted: asking again is the smaller mistake.
  return again(
    'internal',
    `The model request failed in an unexpected way: ${scrub(String(error))}`,
    true,
  );
}

/** A connection that there was: the request may have been read before it broke. */
const BROKEN = /ECONNRESET|EPIPE|UND_ERR_SOCKET|other side closed|socket hang up/i;

/** `fetch failed` says nothing: the socket's own error is some causes further down. */
function innermost(error: Error): string {
  let found = error;
  for (let depth = 0; depth < 5 && isError(found.cause); depth++) found = found.cause;
  const { code } = found as { code?: unknown };
  return typeof code === 'string' && !found.message.includes(code)
    ? `${code} ${found.message}`
    : found.message;
}

const NO_USAGE = { inputTokens: 0, outputTokens: 0 };

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
  about: AboutEndpoint,
  begun = false,
): ModelError {
  const status = statusOf(body);
  const { usage, model } = answered;
  const paid = begun || (usage !== null && usage.inputTokens + usage.outputTokens > 0);
  const what = `The model endpoint answered 200 with an error in its body (${status}).`;
  const rounds = paid ? PAID_ROUNDS : undefined;
  const read = (used: Answered) =>
    fromBody(what, status, body, { model, ...about }, { answered: used, rounds });
  const error = read(answered);
  // What was refused before it began is known to have used nothing.
  return error.refusal && !usage ? read({ model, usage: NO_USAGE }) : error;
}

function fromBody(
  what: string,
  status: number,
  body: ErrorBody,
  { model, ...about }: AboutEndpoint & { model: string },
  more: { headers?: Headers | undefined; answered?: Answered; rounds?: number | undefined },
): ModelError {
  const meaning = meaningOf(status, body, about);
  const told = more.headers?.get('x-should-retry');
  // The endpoint knows best; but money that is not there does not come by itself.
  const retryable =
    meaning.code !== 'model.quota_exhausted' &&
    (told === 'true' || (told !== 'false' && meaning.retryable));
  const said = body.message === '' ? undefined : `It said: ${body.message}`;
  return new ModelError(
    meaning.code,
    about.scrub([what, meaning.advice, said].filter((part) => part).join(' ')),
    {
      retryable,
      retryAfterMs: retryable ? retryAfterMs(more.headers, body.message) : undefined,
      rounds: meaning.rounds ?? more.rounds,
      // An answer that had begun was perhaps paid for, whatever ended it.
      refusal: more.rounds === undefined ? meaning.refusal : undefined,
      mayBePaid: status >= 500 && !meaning.refusal && !more.answered,
    },
    more.answered ?? (meaning.answered ? { model, usage: null } : undefined),
  );
}

/** An answer that this code cannot read is asked for once more: the next one looks the same. */
const MISREAD_ROUNDS = 2;

/**
 * An answer of status 200 that is none of the API's.
 *
 * @param answered absent: it does not come from the model
 */
export function misread(what: string, names: EndpointNames, answered?: Answered): ModelError {
  return new ModelError(
    'model.bad_answer',
    `The model endpoint answered 200 with ${what}. If that stays so, check ${names.baseUrl}, which ends in /v1 as a rule, and ${names.api}.`,
    { retryable: true, rounds: answered && MISREAD_ROUNDS },
    answered,
  );
}

/** Of an error's text: what it is about stands at its beginning. */
const READ = 2_000;
/** Words for a part that the endpoint cannot open, or does not know as its own. */
const FOREIGN_PART =
  /encrypted content .*could not be verified|item (?:with id )?'?rs_\S* not found|thought[ _]signature/i;

/**
 * What a refused request must leave out: parts that were given back, which another organisation's
 * key or a changed one cannot open; or the question for encrypted thoughts, which models without
 * thoughts refuse. Neither refusal costs anything.
 */
export function refusedPart(error: unknown): 'given' | 'asked' | undefined {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 404)) return;
  const { code, message } = readError(error.error);
  const said = message.slice(0, READ);
  if (code === 'invalid_encrypted_content' || FOREIGN_PART.test(said)) return 'given';
  return /encrypted content is not supported/i.test(said) ? 'asked' : undefined;
}

function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value;
}
