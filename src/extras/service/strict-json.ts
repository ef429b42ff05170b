import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AgentOnceError } from '../../contract/errors.ts';
import { parseJson } from '../../contract/json.ts';
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
  app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const { headers, routeOptions } = request;
      refuseOtherCharsets(headers['content-type']);
      const nothing = body.length === 0 && mayBeLeftOut(routeOptions.schema?.body, mediaType);
      done(null, nothing ? undefined : parseJson(decode(body as Buffer)));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Refuses bodies that would have to be decompressed first: what they grow to is not known. */
export function refuseEncodings(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ headers, method }) => {
    if (method === 'GET' || method === 'HEAD') return;
    const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
    if (encoding === '' || encoding === 'identity') return;
    throw new HttpProblem(
      'http.unsupported_media_type',
      'Send the body as it is, without a Content-Encoding. Nothing was done; the same key can be used again.',
    );
  });
}

function refuseOtherCharsets(contentType = ''): void {
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8') return;
  throw new HttpProblem(
    'http.unsupported_media_type',
    'JSON is UTF-8 (RFC 8259 section 8.1): leave the charset out. Nothing was done; the same key can be used again.',
  );
}

/** @param body of a route: a schema, or one for each media type */
function mayBeLeftOut(body: unknown, mediaType: string): boolean {
  const content = (body as { content?: Record<string, { schema: unknown }> } | undefined)?.content;
  const schema = content ? content[mediaType]?.schema : body;
  return schema instanceof z.ZodType && schema.safeParse(undefined).success;
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
