import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getExecution } from '../../client/describe.ts';
import { callerOf } from '../authenticate.ts';
import { closing } from '../closing.ts';
import type { ServiceDeps } from '../deps.ts';
import { END, EventStream } from '../event-stream.ts';
import { RunFeeds } from '../run-feed.ts';
import { runOf, withoutTraces } from '../runs.ts';
import { runEvent } from '../run-event.ts';
import { runId } from '../schemas.ts';
import { problems } from './answers.ts';

const KEEP_ALIVE_MS = 15_000;
/** Whoever has read nothing for so long comes back with the ID of its last event, if at all. */
const STALLED_MS = 120_000;

/** `GET /v1/runs/{id}/events`: server-sent events, resumable with `Last-Event-ID`. */
export function eventRoutes(deps: ServiceDeps): FastifyPluginAsyncZod {
  const feeds = new RunFeeds(deps);
  return async (app) => {
    app.route({
      method: 'GET',
      url: '/v1/runs/:id/events',
      config: { scope: 'read' },
      schema: {
        operationId: 'followRun',
        summary: 'What happens in a run, as server-sent events',
        tags: ['runs'],
        produces: ['text/event-stream'],
        params: z.strictObject({ id: runId }),
        headers: z.object({ 'last-event-id': z.string().optional() }),
        response: {
          200: runEvent.describe('Events `step`, `run` and, last, `end`: each is one of these'),
          204: z.null().describe('The caller has the last event already'),
          ...problems(404),
        },
      },
      handler: async (request, reply) => {
        const run = runOf(callerOf(request), request.params.id);
        const lastEventId = request.headers['last-event-id'];
        // Before the stream begins an error is still a problem.
        await withoutTraces(() => getExecution(deps.context, run));
        if (lastEventId === END) return reply.code(204).send(null);

        const signal = closing(reply);
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) reply.raw.setHeader(name, value);
        }
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        });
        reply.raw.write('retry: 2000\n\n');
        reply.hijack();
        reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
        const stream = new EventStream(reply.raw, lastEventId);
        const alive = setInterval(() => stream.keepAlive(), KEEP_ALIVE_MS);
        try {
          await feeds.follow(run, (snapshot) => stream.send(snapshot), signal);
        } catch (error) {
          request.log.warn({ err: error }, 'A stream of events broke off');
        } finally {
          clearInterval(alive);
          // The reader comes back by itself, with the ID of its last event.
          if (signal.aborted) reply.raw.end();
          else stream.finish();
        }
        return reply;
      },
    });
  };
}
