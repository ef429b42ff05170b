import type { FastifyReply } from 'fastify';
import { AgentOnceError } from '../../contract/errors.ts';
import { PROBLEM_JSON, problemDetails, REFUSALS } from './problem-details.ts';

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
  const problem = problemDetails(code, REFUSALS[code], message);
  const { status } = problem;
  if (status === 409) reply.header('retry-after', RETRY_AFTER);
  void reply
    .code(status)
    .type(PROBLEM_JSON)
    // A response schema of the route for this status is not one of problems.
    .serializer(JSON.stringify)
    .send(problem);
}
