import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { tokenOf } from '../../../src/extras/dev/scripted-model/counters.ts';

const KEPT = 200;
/** A longer body is kept as far as this. */
const BODY_LENGTH = 256 * 1024;

/** `token`: the part of the key before a `~`; `last`: at most so many. */
const query = z.object({
  token: z.string().optional(),
  key: z.string().optional(),
  last: z.coerce.number().int().positive().optional(),
});

interface Received {
  path: string;
  key: string | undefined;
  headers: IncomingHttpHeaders;
  truncated: boolean;
  body: unknown;
}

/** Keeps the last requests to the model, for tests that look at what came back: `GET /requests`. */
export function keepRequests(app: FastifyInstance): void {
  const kept: Received[] = [];
  app.addHook('preHandler', async (request) => {
    const { url: path, headers, body } = request;
    if (request.method !== 'POST' || !path.includes('/v1/')) return;
    const text = JSON.stringify(body ?? null);
    const truncated = text.length > BODY_LENGTH;
    kept.push({
      path,
      key: headers['idempotency-key']?.toString(),
      headers,
      truncated,
      body: truncated ? text.slice(0, BODY_LENGTH) : body,
    });
    if (kept.length > KEPT) kept.shift();
  });
  // The oldest first.
  app.get('/requests', (request) => {
    const { token, key, last = KEPT } = query.parse(request.query);
    const requests = kept
      .filter((each) => token === undefined || tokenOf(each.key ?? '') === token)
      .filter((each) => key === undefined || each.key === key)
      .slice(-last);
    return { requests };
  });
}
