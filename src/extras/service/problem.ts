import { AgentOnceError, type ErrorCode } from '../../contract/errors.ts';
import { problemDetails, REFUSALS, type Problem } from '../idempotency/problem-details.ts';

/** Problems that only HTTP has, with their statuses and titles. */
const HTTP_PROBLEMS = {
  'http.bad_request': [400, 'The request cannot be read'],
  'http.key_missing': REFUSALS['http.key_missing'],
  'http.unauthorized': [401, 'The API key is missing or not valid'],
  'http.forbidden': [403, 'The API key does not allow this'],
  'http.foreign_host': [403, 'The service does not answer to this name'],
  'http.foreign_origin': [403, 'Pages of another origin may not do this'],
  'http.not_found': [404, 'There is nothing here'],
  'http.method_not_allowed': [405, 'The method is not allowed here'],
  'http.request_timeout': [408, 'The request took too long to come'],
  'http.duplicate_in_progress': REFUSALS['http.duplicate_in_progress'],
  'http.body_too_large': [413, 'The body is too large'],
  'http.unsupported_media_type': [415, 'The body is not JSON in UTF-8'],
  'http.expectation_failed': [417, 'What is expected is not known here'],
  'http.header_too_large': [431, 'The header is too large'],
  'http.rate_limited': [429, 'Too many requests'],
  'http.stopping': [503, 'The service is stopping'],
  'http.internal': [500, 'A defect of the service'],
} as const satisfies Record<string, readonly [number, string]>;
export type HttpProblemCode = keyof typeof HTTP_PROBLEMS;

/** Statuses of errors that a request can meet; what stands here for none is our own defect. */
const STATUS: Partial<Record<ErrorCode, readonly [number, string]>> = {
  usage: [400, 'The request cannot be read'],
  'key.invalid': REFUSALS['key.invalid'],
  'input.invalid': REFUSALS['input.invalid'],
  'options.invalid': [400, 'The options of the run are not valid'],
  'name.invalid': [400, 'A name is not valid'],
  'ledger.value_refused': [400, 'A value cannot be kept'],
  'decision.invalid': [400, 'The decision is not valid'],
  'agent.unknown': [404, 'There is no such agent'],
  'run.not_found': [404, 'There is no such run'],
  'run.expired': [409, 'The key of the run has expired'],
  'run.request_unknown': [409, 'The request of the run is not known'],
  'run.still_running': [409, 'The run is still going on'],
  'decision.conflict': [409, 'Somebody has decided otherwise'],
  'decision.not_asked': [409, 'The run does not wait for this decision'],
  'input.too_large': [413, 'The input is too large'],
  'key.conflict': REFUSALS['key.conflict'],
  'temporal.unreachable': [503, 'Temporal does not answer'],
  'temporal.namespace_not_found': [503, 'Temporal has no such namespace'],
  'temporal.search_attributes_missing': [503, 'Temporal lacks the search attributes'],
  'temporal.limited': [503, 'Temporal takes no more requests now'],
  'temporal.failed': [503, 'Temporal refused the request'],
  'ledger.unreachable': [503, 'The ledger does not answer'],
  'ledger.invalid': [503, 'The ledger cannot be used'],
  'payload.unreadable': [503, 'Something is encrypted with another key'],
  'ledger.restored': [503, 'The ledger lacks what the run has recorded'],
};

/** An error of the HTTP side, made for whoever sent the request. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpProblemCode, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

/** Instead of messages for operators, which name servers and settings. Those are in the log. */
const UNAVAILABLE = {
  temporal:
    'Temporal, which keeps the runs, does not do what the service asks of it. A run may have been started all the same: repeat the request with the same key, which starts at most one.',
  ledger:
    'The database with the steps and the API keys does not answer. Nothing was done; the same request, with the same key, works when it is back.',
} as const;

/** Instead of messages for whoever works at a terminal: of files, and of flags of commands. */
const FOR_CALLERS: Partial<Record<ErrorCode, string>> = {
  'agent.unknown': 'There is no agent of this name here. Nothing was started.',
  'decision.not_asked':
    'The run does not wait for this decision: it has ended, or asks something else. Nothing was decided. What it asks is in `waiting` of the run; one that has failed can be resumed, and asks again.',
};

/** Seconds after which to try again where a part does not answer. */
const RETRY_AFTER = '2';

/** What is sent for an error, and its headers. Of an unexpected one nothing is told. */
export function problemOf(error: unknown): { problem: Problem; headers: Record<string, string> } {
  if (error instanceof HttpProblem) {
    const { code, message, headers } = error;
    return { problem: problemDetails(code, HTTP_PROBLEMS[code], message), headers };
  }
  if (error instanceof AgentOnceError) {
    const known = STATUS[error.code];
    if (known) {
      const [status] = known;
      const headers: Record<string, string> =
        status === 503 || error.code === 'run.still_running' ? { 'retry-after': RETRY_AFTER } : {};
      const part = error.code.startsWith('ledger.') ? 'ledger' : 'temporal';
      const detail =
        status === 503 ? UNAVAILABLE[part] : (FOR_CALLERS[error.code] ?? error.message);
      return { problem: problemDetails(error.code, known, detail), headers };
    }
  }
  const detail =
    'Something went wrong here. What was recorded is kept: repeat it with the same key.';
  return {
    problem: problemDetails('http.internal', HTTP_PROBLEMS['http.internal'], detail),
    headers: {},
  };
}
