import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServiceDeps } from '../deps.ts';

/** For orchestrators: whether the process answers, and whether what it needs answers. */
export function healthRoutes({ context }: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/healthz',
      { schema: { hide: true, response: { 200: z.strictObject({ healthy: z.boolean() }) } } },
      async () => ({ healthy: true }),
    );
    app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
      const temporal = await answers(() =>
        context.temporal.withDeadline(Date.now() + 2_000, () =>
          context.temporal.workflowService.getSystemInfo({}),
        ),
      );
      const ready = temporal && !app.stopping.aborted;
      return reply.code(ready ? 200 : 503).send({ ready, temporal });
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
