import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AgentOnceClient } from '../../../client/agent-once-client.ts';
import type { RunView, StartRequest } from '../../../client/types.ts';
import { AgentOnceError } from '../../../contract/errors.ts';
import { sha256Base64url } from '../../../contract/hash.ts';
import { canonicalJson } from '../../../contract/json.ts';
import type { JsonObject } from '../../../contract/json.ts';
import { callerOf } from '../authenticate.ts';
import type { ServiceDeps } from '../deps.ts';
import { cloudEvent, cloudEventHeaders, readCloudEvent, STRUCTURED } from '../cloud-event.ts';
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
        const event = readCloudEvent(request.raw, request.body);
        const input = withoutTransport(event);
        const key = `event:${sha256Base64url(canonicalJson([event.source, event.id]))}`;
        const started = await startOrFind(deps.client, { agent, tenant, key, input });
        return answerStart(deps, request, reply, started);
      },
    });
  };
}

/** The same event with other words is a duplicate like any other: its first delivery counts. */
async function startOrFind(
  client: AgentOnceClient,
  start: StartRequest & { key: string },
): Promise<RunView & { replayed: boolean }> {
  try {
    return await client.start(start);
  } catch (error) {
    if (!(error instanceof AgentOnceError) || error.code !== 'key.conflict') throw error;
    return { ...(await client.describe(start)), replayed: true };
  }
}

/**
 * The event's attributes and data, without what a transport adds on its way: extension attributes,
 * such as a trace's, and `dataschema` are no part of the request, and the agent does not get them.
 */
function withoutTransport(event: ReturnType<typeof readCloudEvent>): JsonObject {
  const { id, source, type, subject, time, datacontenttype, data, data_base64 } = event;
  const given = { id, source, type, subject, time, datacontenttype, data, data_base64 };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
  ) as JsonObject;
}
