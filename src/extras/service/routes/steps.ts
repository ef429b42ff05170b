import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentOnceError } from '../../../contract/errors.ts';
import { collect } from '../../explain/collect.ts';
import { callerOf } from '../authenticate.ts';
import type { ServiceDeps } from '../deps.ts';
import { explanation } from '../explanation-schema.ts';
import { explanationFor } from '../operators-only.ts';
import { runOf, withoutTraces } from '../runs.ts';
import { runId } from '../schemas.ts';
import { problems } from './answers.ts';

/** `GET /v1/runs/{id}/steps`: what happened, step by step. */
export function stepRoutes({
  client: { context },
  ledger,
  urlOf,
}: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.route({
      method: 'GET',
      url: '/v1/runs/:id/steps',
      config: { scope: 'read' },
      schema: {
        operationId: 'explainRun',
        summary: 'What happened in a run, step by step',
        tags: ['runs'],
        params: z.strictObject({ id: runId }),
        response: {
          200: explanation.describe(
            'What `agent-once explain --json` shows, names of machines for the scope `admin` alone; `next` as data instead of words',
          ),
          ...problems(404),
        },
      },
      handler: async (request) => {
        const caller = callerOf(request);
        const identity = runOf(caller, request.params.id);
        const found = await withoutTraces(() => collect({ context, ledger, urlOf }, identity));
        const { ledgerError } = found;
        if (ledgerError) throw new AgentOnceError('ledger.unreachable', ledgerError.message);
        return explanationFor(caller, found);
      },
    });
  };
}
