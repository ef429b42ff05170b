import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A body that was read: its bytes, and its value. */
export interface JsonBody {
  raw: Buffer;
  value: unknown;
}

/** Makes JSON bodies arrive as `JsonBody`: the bytes are what a gateway compares. */
export function jsonBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (_request, raw: Buffer, done) => {
      try {
        done(null, { raw, value: parseJson(raw) } satisfies JsonBody);
      } catch (error) {
        done(Object.assign(error as Error, { statusCode: 400 }));
      }
    },
  );
}

export function parseJson(raw: Buffer): unknown {
  return JSON.parse(raw.toString()) as unknown;
}

/** Without a body, or of another type, there is no value. */
export function bodyOf(request: FastifyRequest): JsonBody {
  return (request.body as JsonBody | undefined) ?? { raw: Buffer.alloc(0), value: undefined };
}
