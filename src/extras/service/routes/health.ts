import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { answering, pingTemporal } from '../../../client/probe.ts';
import type { ServiceDeps } from '../deps.ts';

/** For orchestrators: whether the process answers, and whether what it needs answers. */
export function healthRoutes({ client, ledger, leaving }: ServiceDeps): FastifyPluginAsyncZod {
  const live = {
    schema: { hide: true, response: { 200: z.strictObject({ healthy: z.boolean() }) } },
  };
  const temporal = answering(() => pingTemporal(client.context.temporal));
  const records = answering(() => ledger.questions('none'));
  return async (app) => {
    for (const path of ['/livez', '/healthz']) app.get(path, live, async () => ({ healthy: true }));
    app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
      // No need to ask: whoever sends requests here should begin to send them elsewhere.
      if (leaving.aborted) return reply.code(503).send({ ready: false, leaving: true });
      const [asked, read] = await Promise.all([temporal(), records()]);
      const ready = asked && read;
      return reply.code(ready ? 200 : 503).send({ ready, temporal: asked, ledger: read });
    });
  };
}
