import { HTTP, type CloudEventV1 } from 'cloudevents';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { identify } from '../../client/context.ts';
import { describeRun } from '../../client/describe.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Base64url } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { callerOf } from '../authenticate.ts';
import type { ServiceDeps } from '../deps.ts';
import { HttpProblem } from '../problem.ts';
import { locationOf, toBody } from '../runs.ts';
import { agentName, run } from '../schemas.ts';
import { answerStart } from './start-run.ts';
import { problems } from './answers.ts';

/**
 * `POST /v1/agents/{agent}/events`: an event that is delivered at least once (CloudEvents 1.0, HTTP
 * binding, binary or structured). `source` and `id` together name it, and so the run: one that is
 * delivered again starts nothing, whatever else it carries.
 */
export function cloudEventRoutes(deps: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.route({
      method: 'POST',
      url: '/v1/agents/:agent/events',
      config: { scope: 'start' },
      schema: {
        operationId: 'receiveEvent',
        summary: 'Start a run for an event; one that is delivered again starts nothing',
        tags: ['events'],
        params: z.strictObject({ agent: agentName }),
        body: z.custom<JsonValue>((value) => value !== undefined).optional(),
        response: {
          200: run.describe('The run has ended in the time that was preferred'),
          202: run.describe(
            'The run of the event: `Idempotent-Replayed: true` says delivered again',
          ),
          ...problems(409, 413, 415),
        },
      },
      handler: async (request, reply) => {
        const { tenant } = callerOf(request);
        const { agent } = request.params;
        const input = readEvent(request.headers, request.body as JsonValue | undefined);
        const key = `event:${sha256Base64url(canonicalJson([input['source'] ?? null, input['id'] ?? null]))}`;
        try {
          return await answerStart(deps, request, reply, { agent, tenant, key, input });
        } catch (error) {
          if (!(error instanceof AgentOnceError) || error.code !== 'key.conflict') throw error;
          // The same event with other words: its first delivery counts.
          const view = await describeRun(
            deps.context,
            identify(deps.context, { agent, tenant, key }),
          );
          return reply
            .code(202)
            .headers({ 'idempotent-replayed': 'true', location: locationOf(view.workflowId) })
            .send(toBody(view));
        }
      },
    });
  };
}

/** The event's attributes and data, without what a transport adds on its way. */
function readEvent(
  headers: Record<string, string | string[] | undefined>,
  body: JsonValue | undefined,
): JsonObject {
  let event: CloudEventV1<unknown>;
  try {
    const read = HTTP.toEvent({ headers, body: body ?? null });
    const [first, ...more] = [read].flat();
    if (!first || more.length > 0) throw new Error('batch');
    event = first as CloudEventV1<unknown>;
  } catch {
    throw new HttpProblem(
      'http.bad_request',
      'This is no CloudEvent: it needs specversion 1.0, id, source and type, as ce- headers or as application/cloudevents+json. Send one event in a request. Nothing was started.',
    );
  }
  const { id, source, type, subject, time, datacontenttype, data } = event;
  const given = { id, source, type, subject, time, datacontenttype, data };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  ) as JsonObject;
}
