import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getExecution } from '../../../client/describe.ts';
import { isOpen } from '../../../client/view.ts';
import type { RunIdentity } from '../../../client/context.ts';
import { callerOf } from '../authenticate.ts';
import type { ServiceDeps } from '../deps.ts';
import { endOf, EventStream } from '../event-stream.ts';
import { stepsFor } from '../operators-only.ts';
import { RunFeeds, type Snapshot } from '../run-feed.ts';
import { runOf, withoutTraces } from '../runs.ts';
import { STREAM_HEADERS, streamEvents } from '../stream.ts';
import { runEvent } from '../run-event.ts';
import { runId } from '../schemas.ts';
import { problems } from './answers.ts';

const URL = '/v1/runs/:id/events';
const params = z.strictObject({ id: runId });
const headers = z.object({ 'last-event-id': z.string().optional() });

/** `GET /v1/runs/{id}/events`: server-sent events, resumable with `Last-Event-ID`. */
export function eventRoutes(deps: ServiceDeps): FastifyPluginAsyncZod {
  const feeds = new RunFeeds(deps);

  /** Whether the caller has the run's last event already. */
  const hasEnd = async (run: RunIdentity, lastEventId: string | undefined): Promise<boolean> => {
    const execution = await withoutTraces(() => getExecution(deps.client.context, run));
    return !isOpen(execution) && lastEventId === endOf(execution.runId);
  };

  return async (app) => {
    app.route({
      method: 'GET',
      url: URL,
      // Of a stream there would be no end to wait for.
      exposeHeadRoute: false,
      config: { scope: 'read' },
      schema: {
        operationId: 'followRun',
        summary: 'What happens in a run, as server-sent events',
        tags: ['runs'],
        produces: ['text/event-stream'],
        params,
        headers,
        response: {
          200: runEvent.describe('Events `step`, `run` and, last, `end`: each is one of these'),
          204: z.null().describe('The caller has the last event already'),
          ...problems(404),
        },
      },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const run = runOf(caller, request.params.id);
        const lastEventId = request.headers['last-event-id'];
        // Before the stream begins an error is still a problem.
        if (await hasEnd(run, lastEventId)) return reply.code(204).send(null);

        await streamEvents(deps, request, reply, async (response, signal) => {
          const stream = new EventStream(response, lastEventId);
          const send = (snapshot: Snapshot): void =>
            stream.send({ ...snapshot, steps: stepsFor(caller, snapshot.steps) });
          try {
            await feeds.follow(run, send, signal);
          } finally {
            if (!signal.aborted) stream.finish();
          }
        });
        return reply;
      },
    });

    app.route({
      method: 'HEAD',
      url: URL,
      config: { scope: 'read' },
      schema: { hide: true, params, headers },
      handler: async (request, reply) => {
        const run = runOf(callerOf(request), request.params.id);
        const ended = await hasEnd(run, request.headers['last-event-id']);
        return ended ? reply.code(204).send(null) : reply.headers(STREAM_HEADERS).send(null);
      },
    });
  };
}
