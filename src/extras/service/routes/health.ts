import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServiceDeps } from '../deps.ts';

const ANSWERS_WITHIN_MS = 2_000;

/** For orchestrators: whether the process answers, and whether what it needs answers. */
export function healthRoutes({ client, ledger, leaving }: ServiceDeps): FastifyPluginAsyncZod {
  const { temporal } = client.context;
  const live = {
    schema: { hide: true, response: { 200: z.strictObject({ healthy: z.boolean() }) } },
  };
  return async (app) => {
    for (const path of ['/livez', '/healthz']) app.get(path, live, async () => ({ healthy: true }));
    app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
      // No need to ask: whoever sends requests here should begin to send them elsewhere.
      if (leaving.aborted) return reply.code(503).send({ ready: false, leaving: true });
      const [asked, read] = await Promise.all([
        answers(() =>
          temporal.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () =>
            temporal.workflowService.getSystemInfo({}),
          ),
        ),
        answers(() => ledger.questions('none')),
      ]);
      const ready = asked && read;
      return reply.code(ready ? 200 : 503).send({ ready, temporal: asked, ledger: read });
    });
  };
}

function answers(ask: () => Promise<unknown>): Promise<boolean> {
  const asked = ask().then(
    () => true,
    () => false,
  );
  return Promise.race([asked, sleep(ANSWERS_WITHIN_MS, false, { ref: false })]);
}
