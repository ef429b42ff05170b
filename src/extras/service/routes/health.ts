import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServiceDeps } from '../deps.ts';

/** For orchestrators: whether the process answers, and whether what it needs answers. */
export function healthRoutes({ client, leaving }: ServiceDeps): FastifyPluginAsyncZod {
  const { temporal } = client.context;
  return async (app) => {
    app.get(
      '/healthz',
      { schema: { hide: true, response: { 200: z.strictObject({ healthy: z.boolean() }) } } },
      async () => ({ healthy: true }),
    );
    app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
      // No need to ask: whoever sends requests here should begin to send them elsewhere.
      if (leaving.aborted) return reply.code(503).send({ ready: false, leaving: true });
      const ready = await answers(() =>
        temporal.withDeadline(Date.now() + 2_000, () => temporal.workflowService.getSystemInfo({})),
      );
      return reply.code(ready ? 200 : 503).send({ ready, temporal: ready });
    });
  };
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}
