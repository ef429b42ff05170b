import fastify from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { AgentOnceError, type AgentOnceClient, type RunView } from '../../src/index.ts';

const HTTP_STATUS: Record<number, number> = { 2: 400, 3: 422, 5: 404, 6: 503 };

/** Your own API in front of an agent: the caller's `Idempotency-Key` becomes the run's key. */
export function createBackend(client: AgentOnceClient): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  // With callers of your own, give each its tenant: then their keys never meet.
  const name = (key: string) => ({ agent: 'support', key });
  const show = (reply: FastifyReply, { key, status, result, error }: RunView) =>
    reply
      .code(status === 'running' || status === 'waiting' ? 202 : 200)
      .header('Location', `/requests/${encodeURIComponent(key)}`)
      .send({ key, status, result, error });

  app.post<{ Body: { text?: string } | null }>('/requests', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    const text = request.body?.text;
    if (typeof key !== 'string' || typeof text !== 'string') {
      return reply.code(400).send({ error: 'Send {"text": "…"} and an Idempotency-Key header.' });
    }
    const run = await client.start({ ...name(key), input: text });
    if (run.replayed) reply.header('Idempotent-Replayed', 'true');
    return show(reply, run);
  });

  app.get<{ Params: { key: string } }>('/requests/:key', async (request, reply) =>
    show(reply, await client.describe(name(request.params.key))),
  );

  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof AgentOnceError ? HTTP_STATUS[error.exitCode] : error.statusCode;
    return reply.code(status ?? 500).send({ error: error.message });
  });
  return app;
}
