import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { identify } from '../../client/context.ts';
import { describeRun } from '../../client/describe.ts';
import { AgentOnceError } from '../../contract/errors.ts';
import { sha256Base64url } from '../../contract/hash.ts';
import { canonicalJson } from '../../contract/json.ts';
import type { JsonObject } from '../../contract/json.ts';
import { callerOf } from '../authenticate.ts';
import type { ServiceDeps } from '../deps.ts';
import { cloudEvent, cloudEventHeaders, readCloudEvent, STRUCTURED } from '../cloud-event.ts';
import { locationOf, toBody } from '../runs.ts';
import { agentName, json, prefer } from '../schemas.ts';
import { acceptStrictJson } from '../strict-json.ts';
import { answerStart } from './start-run.ts';
import { problems, runEnded, runGoesOn } from './answers.ts';

/**
 * `POST /v1/agents/{agent}/events`: an event that is delivered at least once (CloudEvents 1.0, HTTP
 * binding, binary or structured). `source` and `id` together name it, and so the run: one that is
 * delivered again starts nothing, whatever else it carries.
 */
export function cloudEventRoutes(deps: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    acceptStrictJson(app, STRUCTURED);
    app.route({
      method: 'POST',
      url: '/v1/agents/:agent/events',
      config: { scope: 'start' },
      schema: {
        operationId: 'receiveEvent',
        summary: 'Start a run for an event; one that is delivered again starts nothing',
        tags: ['events'],
        params: z.strictObject({ agent: agentName }),
        headers: cloudEventHeaders.extend({ prefer }),
        body: {
          content: {
            'application/json': { schema: json.optional() },
            [STRUCTURED]: { schema: cloudEvent },
          },
        },
        response: {
          200: runEnded,
          202: runGoesOn,
          ...problems(404, 409, 413, 415),
        },
      },
      handler: async (request, reply) => {
        const { tenant } = callerOf(request);
        const { agent } = request.params;
        const event = readCloudEvent(request.headers, request.body);
        const input = withoutTransport(event);
        const key = `event:${sha256Base64url(canonicalJson([event.source, event.id]))}`;
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
function withoutTransport(event: ReturnType<typeof readCloudEvent>): JsonObject {
  const { id, source, type, subject, time, datacontenttype, data, data_base64 } = event;
  const given = { id, source, type, subject, time, datacontenttype, data, data_base64 };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  ) as JsonObject;
}
