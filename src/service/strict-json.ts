import type { FastifyInstance } from 'fastify';
import { AgentOnceError } from '../contract/errors.ts';
import { parseJson } from '../contract/json.ts';
import { HttpProblem } from './problem.ts';

/** UTF-8 that is none is refused, not replaced: two bodies that look alike must be alike. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bodies are JSON (RFC 8259, UTF-8), parsed as strictly as what is fingerprinted: duplicate members,
 * lone surrogates and integers beyond 2^53 are refused.
 *
 * @param mediaType what such bodies may be called, here and in the plugins that are registered here
 */
export function acceptStrictJson(app: FastifyInstance, mediaType: string): void {
  app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(decode(body as Buffer)));
    } catch (error) {
      done(error as Error);
    }
  });
}

function decode(body: Buffer): string {
  if (body.length === 0) {
    throw new HttpProblem('http.bad_request', 'The body is empty; send a JSON object.');
  }
  try {
    return utf8.decode(body);
  } catch {
    throw new AgentOnceError('input.invalid', 'The body is not UTF-8.');
  }
}
