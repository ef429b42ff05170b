import type { FastifyReply } from 'fastify';
import { AgentOnceError } from '../contract/errors.ts';

/** What the plugin refuses, with statuses and titles: the codes of `docs/http.md`. */
const REFUSALS = {
  'http.key_missing': [400, 'The Idempotency-Key header is missing'],
  'key.invalid': [400, 'The idempotency key is not valid'],
  'input.invalid': [400, 'The body is not JSON that can be compared'],
  'http.duplicate_in_progress': [409, 'The same request is being worked on'],
  'key.conflict': [422, 'The idempotency key names another request'],
} as const satisfies Record<string, readonly [number, string]>;
export type RefusalCode = keyof typeof REFUSALS;

/** Seconds after which a duplicate of a request that is being worked on may ask again. */
const RETRY_AFTER = '1';

/** A request that is refused before its handler begins: nothing was done, nothing is stored. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** As a refusal, if it is one: of the header, or of a body that cannot be compared. */
export function asRefusal(error: unknown): RefusedRequest | undefined {
  if (error instanceof RefusedRequest) return error;
  if (!(error instanceof AgentOnceError)) return undefined;
  const { code, message } = error;
  if (code !== 'key.invalid' && code !== 'input.invalid') return undefined;
  return new RefusedRequest(code, message, { cause: error });
}

/**
 * Answers with problem details (RFC 9457). Not left to the application's error handler: without one
 * of its own, or with one that does not know these errors, a client would be told of a failure (5xx)
 * and go on trying.
 */
export function answerRefusal(reply: FastifyReply, { code, message }: RefusedRequest): void {
  const [status, title] = REFUSALS[code];
  const problem = { type: `urn:agent-once:problem:${code}`, title, status, code, detail: message };
  if (status === 409) reply.header('retry-after', RETRY_AFTER);
  void reply
    .code(status)
    .type('application/problem+json')
    // A response schema of the route for this status is not one of problems.
    .serializer(JSON.stringify)
    .send(problem);
}
