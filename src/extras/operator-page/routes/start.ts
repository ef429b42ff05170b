import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentOnceError } from '../../../contract/errors.ts';
import { parseJson } from '../../../contract/json.ts';
import { callerOf } from '../../service/authenticate.ts';
import { problemOf } from '../../service/problem.ts';
import { agentName } from '../../service/schemas.ts';
import { drawStart } from '../pages/start.ts';
import { ROOT, runPath } from '../paths.ts';
import { sendPage } from '../send-page.ts';
import type { PageDeps } from '../deps.ts';
import { access } from '../session.ts';

const checkbox = z.literal('yes').optional();

/** A form that starts a run. */
export function startRoutes({ client }: PageDeps): FastifyPluginAsyncZod {
  const agents = () => client.context.registry?.names() ?? [];
  return async (app) => {
    app.route({
      method: 'GET',
      url: `${ROOT}/start`,
      config: access('start'),
      schema: { hide: true },
      handler: async (request, reply) => {
        const form = {
          agent: agents()[0] ?? '',
          key: randomUUID(),
          input: '',
          isJson: false,
          isShadow: false,
        };
        const page = drawStart(callerOf(request), agents(), form);
        return sendPage(reply, page);
      },
    });

    app.route({
      method: 'POST',
      url: `${ROOT}/start`,
      config: access('start'),
      schema: {
        hide: true,
        body: z.object({
          agent: agentName,
          key: z.string().max(255),
          input: z.string(),
          json: checkbox,
          shadow: checkbox,
        }),
      },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const { agent, key, json, shadow } = request.body;
        // A form sends each end of a line as two characters.
        const input = request.body.input.replaceAll('\r\n', '\n');
        try {
          const { workflowId } = await client.start({
            agent,
            key,
            tenant: caller.tenant,
            input: json ? parseJson(input) : input,
            ...(shadow ? { options: { shadow: true } } : {}),
          });
          return await reply.redirect(runPath(workflowId), 303);
        } catch (error) {
          if (!(error instanceof AgentOnceError)) throw error;
          const { problem } = problemOf(error);
          if (problem.status >= 500) throw error;
          const page = drawStart(
            caller,
            agents(),
            { agent, key, input, isJson: json === 'yes', isShadow: shadow === 'yes' },
            problem.detail,
          );
          return sendPage(reply.code(problem.status), page);
        }
      },
    });
  };
}
