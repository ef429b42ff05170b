import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RunView, StartRequest } from '../../../client/types.ts';
import { identify } from '../../../client/context.ts';
import type { JsonValue } from '../../../contract/json-value.ts';
import { callerOf } from '../authenticate.ts';
import type { ServiceDeps } from '../deps.ts';
import { keyLinesOf, readIdempotencyKey } from '../../idempotency/idempotency-key.ts';
import { HttpProblem } from '../problem.ts';
import { preferenceApplied, readPreferences } from '../prefer.ts';
import { locationOf, toBody, type RunBody } from '../runs.ts';
import { agentName, keyHeader, prefer, startBody } from '../schemas.ts';
import { waitAtMost } from '../wait-at-most.ts';
import { closing } from '../closing.ts';
import { problems, runEnded, runGoesOn } from './answers.ts';

/** `POST /v1/agents/{agent}/runs`: starts a run, or finds the one that the key names. */
export function startRoute(deps: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.route({
      method: 'POST',
      url: '/v1/agents/:agent/runs',
      config: { scope: 'start' },
      schema: {
        operationId: 'startRun',
        summary: 'Start a run, or find the one that the key names',
        tags: ['runs'],
        params: z.strictObject({ agent: agentName }),
        headers: z.object({ 'idempotency-key': keyHeader, prefer }),
        body: startBody,
        response: {
          200: runEnded,
          202: runGoesOn,
          ...problems(404, 409, 413, 415, 422),
        },
      },
      handler: async (request, reply) => {
        const { tenant } = callerOf(request);
        const { agent } = request.params;
        const { input, options, limits } = request.body;
        const key = readIdempotencyKey(keyLinesOf(request.raw), deps.settings.strictKeys);
        if (key !== undefined) request.run = identify(deps.client.context, { agent, tenant, key });
        const started = await deps.client.start({
          agent,
          tenant,
          ...keyOrWindow(deps, agent, key),
          ...(input === undefined ? {} : { input: input as JsonValue }),
          ...(options === undefined ? {} : { options: defined(options) }),
          ...(limits === undefined ? {} : { limits: defined(limits) }),
        });
        return answerStart(deps, request, reply, started);
      },
    });
  };
}

/**
 * Answers for a run that was started or found: 202, or 200 when it ends in the time that the caller
 * prefers.
 *
 * @throws {HttpProblem} `http.duplicate_in_progress`, where the service is set so
 */
export async function answerStart(
  { client, settings }: ServiceDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  started: RunView & { replayed: boolean },
): Promise<RunBody> {
  request.run = started;
  const preferences = readPreferences(request.headers['prefer']);
  const { replayed, key } = started;
  if (replayed && started.closedAt === null && settings.duplicates === 'conflict') {
    throw new HttpProblem(
      'http.duplicate_in_progress',
      'A request with this key is being worked on. Ask again later with the same key, or read the run.',
      { 'retry-after': '2', location: locationOf(started.workflowId) },
    );
  }
  let view: RunView = started;
  const { waitSeconds } = preferences;
  if (waitSeconds !== undefined && started.closedAt === null) {
    const ref = identify(client.context, { agent: started.agent, tenant: started.tenant, key });
    view = await waitAtMost(client, ref, waitSeconds, closing(reply), started.runId);
  }
  const applied = preferenceApplied(preferences);
  if (applied !== undefined) void reply.header('preference-applied', applied);
  if (replayed) void reply.header('idempotent-replayed', 'true');
  void reply.header('location', locationOf(started.workflowId));
  const ended = view.closedAt !== null;
  void reply.code(waitSeconds !== undefined && ended ? 200 : 202);
  if (!ended) void reply.header('retry-after', '1');
  return toBody(view);
}

/** A key, or the window of an agent that allows requests without one. */
function keyOrWindow(
  { dedupeWindowMsOf }: ServiceDeps,
  agent: string,
  key: string | undefined,
): Pick<StartRequest, 'key' | 'dedupeWindowMs'> {
  if (key !== undefined) return { key };
  const dedupeWindowMs = dedupeWindowMsOf(agent);
  if (dedupeWindowMs !== undefined) return { dedupeWindowMs };
  throw new HttpProblem(
    'http.key_missing',
    'Send an Idempotency-Key header: a new UUID v4 for each new request, and the same one whenever that request is repeated. Nothing was started.',
  );
}

/** Without members that are `undefined`: nothing was said of them. */
export function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
