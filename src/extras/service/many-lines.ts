import type { FastifyInstance } from 'fastify';
import { mayHaveUnseenLines } from '../idempotency/idempotency-key.ts';
import { HttpProblem } from './problem.ts';

/**
 * Node leaves out what comes after the thousandth line of a header, and says nothing: a second
 * `Idempotency-Key` there would go unseen.
 */
export function refuseManyLines(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw }) => {
    if (!mayHaveUnseenLines(raw.rawHeaders, app.server.maxHeadersCount)) return;
    throw new HttpProblem(
      'http.header_too_large',
      'The header of the request has more lines than are read. Nothing was done; the same key can be used again.',
    );
  });
}
