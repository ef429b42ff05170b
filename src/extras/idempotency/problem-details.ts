/** The media type of problem details (RFC 9457). */
export const PROBLEM_JSON = 'application/problem+json';

/** Problem details (RFC 9457), with our code beside the type. */
export interface Problem {
  /** `urn:agent-once:problem:` and the code: stable, listed in `src/extras/service/README.md`. */
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
}

/** What an idempotency key is refused for, with statuses and titles: codes of `src/extras/service/README.md`. */
export const REFUSALS = {
  'http.key_missing': [400, 'The Idempotency-Key header is missing'],
  'key.invalid': [400, 'The idempotency key is not valid'],
  'input.invalid': [400, 'The body is not JSON that can be compared'],
  'http.duplicate_in_progress': [409, 'The same request is being worked on'],
  'key.conflict': [422, 'The idempotency key names another request'],
} as const satisfies Record<string, readonly [number, string]>;

export function problemDetails(
  code: string,
  [status, title]: readonly [number, string],
  detail: string,
): Problem {
  return { type: `urn:agent-once:problem:${code}`, title, status, code, detail };
}
