import { problem, run } from '../schemas.ts';

/** A header of an answer, for the document. */
interface AnswerHeader {
  type: 'string' | 'integer';
  description: string;
  /** Whether no such answer is without it. Default: some are. */
  always?: true;
}
type AnswerHeaders = Record<string, AnswerHeader>;

const LOCATION: AnswerHeader = { type: 'string', description: 'Where the run is', always: true };
const REPLAYED: AnswerHeader = { type: 'string', description: '`true`: the run was there already' };
const PREFERENCE: AnswerHeader = { type: 'string', description: 'What was preferred and is done' };
const RETRY_AFTER: AnswerHeader = { type: 'integer', description: 'Seconds to wait before asking' };

/** What a status that is no success is answered with, for the document. */
const STATUSES = {
  400: ['The request cannot be read, or a part of it is not valid', {}],
  401: [
    'The API key is missing or not valid',
    { 'WWW-Authenticate': { type: 'string', description: 'Bearer', always: true } },
  ],
  403: ['The API key does not allow this, or a page of another origin asks', {}],
  404: ['There is no such thing', {}],
  409: ['The state of the run does not allow this', { 'Retry-After': RETRY_AFTER }],
  408: ['The request did not come whole in time', {}],
  413: ['The body is too large', {}],
  415: ['The body is not JSON in UTF-8, or is compressed', {}],
  422: ['The idempotency key names another request', {}],
  429: ['Too many requests', { 'Retry-After': { ...RETRY_AFTER, always: true } }],
  503: [
    'A part that is needed does not answer, or the service is stopping',
    { 'Retry-After': { ...RETRY_AFTER, always: true } },
  ],
} as const satisfies Record<number, readonly [string, AnswerHeaders]>;
type Status = keyof typeof STATUSES;

type Answers<S extends Status> = Record<S, typeof problem>;

const ALWAYS = [400, 401, 403, 408, 429, 503] as const;

/** Problem answers of a route: those that every one may give, and its own. */
export function problems<S extends Status>(...own: S[]): Answers<S | (typeof ALWAYS)[number]> {
  const statuses = [...new Set<Status>([...ALWAYS, ...own])];
  return Object.fromEntries(
    statuses.map((status) => {
      const [description, headers] = STATUSES[status];
      return [status, problem.meta({ description, headers })];
    }),
  ) as Answers<S | (typeof ALWAYS)[number]>;
}

/** A run that was started or found. */
export const runEnded = run.meta({
  description: 'The run has ended in the time that was preferred',
  headers: {
    Location: LOCATION,
    'Idempotent-Replayed': REPLAYED,
    'Preference-Applied': { ...PREFERENCE, always: true },
  },
});
export const runGoesOn = run.meta({
  description: 'The run, new or found: `Idempotent-Replayed: true` says found',
  headers: {
    Location: LOCATION,
    'Idempotent-Replayed': REPLAYED,
    'Preference-Applied': PREFERENCE,
    'Retry-After': RETRY_AFTER,
  },
});

/** A run as it stands. */
export const runRead = run.meta({
  description: 'The run, with an ETag',
  headers: {
    ETag: { type: 'string', description: 'Of this state of the run', always: true },
    'Preference-Applied': PREFERENCE,
  },
});

/** A run of which something was asked. */
export function runAsked(description: string): typeof run {
  return run.meta({
    description,
    headers: { Location: LOCATION, 'Idempotent-Replayed': REPLAYED },
  });
}
