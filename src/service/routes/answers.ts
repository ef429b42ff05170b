import { problem } from '../schemas.ts';

/** What a status that is no success is answered with, for the document. */
const STATUSES = {
  400: 'The request cannot be read, or a part of it is not valid',
  401: 'The API key is missing or not valid',
  403: 'The API key does not allow this',
  404: 'There is no such thing',
  409: 'The state of the run does not allow this',
  413: 'The body is too large',
  415: 'The body is not JSON',
  422: 'The idempotency key names another request',
  429: 'Too many requests',
  503: 'A part that is needed does not answer, or the service is stopping',
} as const;
type Status = keyof typeof STATUSES;

type Answers<S extends Status> = Record<S, typeof problem>;

const ALWAYS = [400, 401, 403, 404, 429, 503] as const;

/** Problem answers of a route: those that every one may give, and its own. */
export function problems<S extends Status>(...own: S[]): Answers<S | (typeof ALWAYS)[number]> {
  const statuses = [...new Set<Status>([...ALWAYS, ...own])];
  return Object.fromEntries(
    statuses.map((status) => [status, problem.describe(STATUSES[status])]),
  ) as Answers<S | (typeof ALWAYS)[number]>;
}
