import type { ErrorCode } from '../../contract/errors.ts';
import type { Refusal } from '../port.ts';
import type { EndpointNames } from './endpoint.ts';
import type { ErrorBody } from './error-body.ts';
import type { Scrub } from './scrub.ts';

/** What a message about an endpoint's answer is made with. */
export interface AboutEndpoint {
  names: EndpointNames;
  /** Its key is asked for anew with each request. */
  renews: boolean;
  /** What must stand in no message. */
  scrub: Scrub;
}

/** What a filter is called that stopped a request. */
const FILTERED = /^(?:content_filter|\w+_policy|\w+_policy_violation)$/;

/** What an error without a status is called, by its code or its type. */
const STATUS_OF: [RegExp, number][] = [
  [/^(?:rate_limit_exceeded|rate_limit_error|resource_exhausted|insufficient_quota)$/, 429],
  [/^(?:invalid_api_key|authentication_error|unauthenticated)$/, 401],
  [/^(?:permission_error|permission_denied)$/, 403],
  [/^(?:model_not_found|not_found_error|not_found)$/, 404],
  [/^(?:invalid_request_error|invalid_argument|invalid_prompt|context_length_exceeded)$/, 400],
  [FILTERED, 400],
];

/** The status that an error would have come with, where it came with 200. */
export function statusOf({ code, type }: ErrorBody): number {
  if (/^[45]\d\d$/.test(code)) return Number(code);
  const named = [code, type].flatMap(
    (name) => STATUS_OF.find(([pattern]) => pattern.test(name))?.[1] ?? [],
  );
  return named[0] ?? 502;
}

/** What an endpoint's error says about the request, and about asking again. */
export interface Meaning {
  code: ErrorCode;
  retryable: boolean;
  advice?: string;
  rounds?: number;
  /** The model had answered: another request is another round. */
  answered?: true;
  /** The request was refused before the model saw it: nothing was paid. */
  refusal?: Refusal;
}

/** What an account without money is told, with status 429 or another one. */
const NO_CREDIT =
  /^(?:insufficient_quota|insufficient_balance|billing_hard_limit_reached|exceeded_current_quota(?:_error)?)$/;

export function meaningOf(
  status: number,
  { code, type, message }: ErrorBody,
  { names, renews }: Pick<AboutEndpoint, 'names' | 'renews'>,
): Meaning {
  if (status === 402 || NO_CREDIT.test(code) || NO_CREDIT.test(type)) {
    const advice = "Add credit to the provider's account, then resume the run.";
    return { code: 'model.quota_exhausted', retryable: false, advice, refusal: 'for-good' };
  }
  if (status === 400 && FILTERED.test(code)) {
    return { code: 'model.refused', retryable: false, advice: 'A content filter stopped it.' };
  }
  // The model wrote a call that the endpoint could not read: the next one may be better.
  if (status === 400 && code === 'tool_use_failed') {
    return { code: 'model.bad_answer', retryable: true, rounds: 3, answered: true };
  }
  if (status === 408) return { code: 'model.timeout', retryable: true };
  if (status === 429) {
    return { code: 'model.rate_limited', retryable: true, refusal: 'overloaded' };
  }
  if ((status === 409 || status === 422) && namesAnotherBody([code, type, message].join(' '))) {
    const advice =
      'It has another request under this idempotency key, so it did not answer this one.';
    return { code: 'model.rejected', retryable: false, advice };
  }
  if (status === 503 || status === 529) {
    return { code: 'model.unavailable', retryable: true, refusal: 'overloaded' };
  }
  if (status === 409 || status >= 500) return { code: 'model.unavailable', retryable: true };
  if (status === 404 || status === 410 || GONE.test(code)) {
    const advice = `Check ${names.baseUrl} and the model's name.`;
    return { code: 'model.rejected', retryable: false, advice, refusal: 'for-good' };
  }
  // A key that has expired is replaced for the next attempt.
  const retryable = status === 401 && renews;
  return { code: 'model.rejected', retryable, advice: adviceFor(status, message, names) };
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

/** What a model is called that an endpoint no longer has, or never had. */
const GONE = /^(?:model_not_found|model_decommissioned|model_deprecated|unknown_model)$/;

function adviceFor(status: number, message: string, names: EndpointNames): string {
  if (status === 401 || status === 403) return `Check ${names.apiKey} and what it may do.`;
  if (/\bbackground\b/i.test(message)) return `Switch ${names.background} off for it.`;
  if (/reasoning_effort/.test(message) && /tool/.test(message)) {
    return `Set ${names.api} to responses for the worker, or OPENAI_REASONING_EFFORT=none where the run is started.`;
  }
  return '';
}
