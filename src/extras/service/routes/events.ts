import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getExecution } from '../../../client/describe.ts';
import { isOpen } from '../../../client/view.ts';
import type { RunIdentity } from '../../../client/context.ts';
import { callerOf, isStillAllowed } from '../authenticate.ts';
import { closing } from '../closing.ts';
import type { ServiceDeps } from '../deps.ts';
import { endOf, EventStream } from '../event-stream.ts';
import { stepsFor } from '../operators-only.ts';
import { RunFeeds, type Snapshot } from '../run-feed.ts';
import { runOf, withoutTraces } from '../runs.ts';
import { runEvent } from '../run-event.ts';
import { runId } from '../schemas.ts';
import { problems } from './answers.ts';

/** Also how long a stream outlives the API key that it was opened with. */
const KEEP_ALIVE_MS = 15_000;
/** Whoever has read nothing for so long comes back with the ID of its last event, if at all. */
const STALLED_MS = 120_000;

const URL = '/v1/runs/:id/events';
const params = z.strictObject({ id: runId });
const headers = z.object({ 'last-event-id': z.string().optional() });

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'x-accel-buffering': 'no',
};

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

        const revoked = new AbortController();
        const signal = AbortSignal.any([closing(reply), revoked.signal]);
        const stream = openStream(reply, lastEventId);
        const alive = setInterval(() => {
          stream.keepAlive();
          void endIfRevoked(deps, request, revoked);
        }, KEEP_ALIVE_MS);
        try {
          const send = (snapshot: Snapshot): void =>
            stream.send({ ...snapshot, steps: stepsFor(caller, snapshot.steps) });
          await feeds.follow(run, send, signal);
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

/** From here on nothing but events can be answered. */
function openStream(reply: FastifyReply, lastEventId: string | undefined): EventStream {
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  raw.writeHead(200, STREAM_HEADERS);
  raw.write('retry: 2000\n\n');
  reply.hijack();
  raw.setTimeout(STALLED_MS, () => raw.destroy());
  return new EventStream(raw, lastEventId);
}

/** A key that was revoked reads no further. */
async function endIfRevoked(
  deps: ServiceDeps,
  request: FastifyRequest,
  revoked: AbortController,
): Promise<void> {
  try {
    if (await isStillAllowed(deps, request)) return;
    revoked.abort(new Error('The API key was revoked.'));
  } catch (error) {
    // Where keys cannot be looked up the steps cannot be read either: that ends the stream.
    request.log.warn({ err: error }, 'An API key could not be looked up');
  }
}
