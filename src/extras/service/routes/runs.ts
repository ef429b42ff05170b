import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JsonValue } from '../../../contract/json-value.ts';
import { workflowIdOf } from '../../../contract/key.ts';
import { LISTED_STATUSES } from '../../../contract/run.ts';
import { outcomeInLedger } from '../../explain/recorded-answers.ts';
import { callerOf } from '../authenticate.ts';
import { closing } from '../closing.ts';
import { CURSOR, cursorAfter, readAfter, tokenOf } from '../cursor.ts';
import type { ServiceDeps } from '../deps.ts';
import { preferenceApplied, readPreferences } from '../prefer.ts';
import { HttpProblem } from '../problem.ts';
import { etagOf, locationOf, runOf, toBody, withoutTraces } from '../runs.ts';
import {
  agentName,
  decisionBody,
  decisionResult,
  emptyBody,
  prefer,
  resumeBody,
  runId,
  runSummary,
  stepName,
} from '../schemas.ts';
import { waitAtMost } from '../wait-at-most.ts';
import { defined } from './start-run.ts';
import { problems, runAsked, runRead } from './answers.ts';

const params = z.strictObject({ id: runId });

/** Everything about runs that exist. */
export function runRoutes({ client, ledger }: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.route({
      method: 'GET',
      url: '/v1/runs/:id',
      config: { scope: 'read' },
      schema: {
        operationId: 'getRun',
        summary: 'How a run stands',
        tags: ['runs'],
        params,
        headers: z.object({
          'if-none-match': z.string().optional(),
          prefer,
        }),
        response: {
          200: runRead,
          304: z.undefined().describe('It stands as the caller has it'),
          ...problems(404),
        },
      },
      handler: async (request, reply) => {
        const identity = runOf(callerOf(request), request.params.id);
        const preferences = readPreferences(request.headers.prefer);
        const { waitSeconds } = preferences;
        const body = toBody(
          await withoutTraces(() =>
            waitSeconds === undefined
              ? client.describe(identity)
              : waitAtMost(client, identity, waitSeconds, closing(reply)),
          ),
        );
        const applied = preferenceApplied(preferences);
        if (applied !== undefined) void reply.header('preference-applied', applied);
        const etag = etagOf(body);
        void reply.header('etag', etag);
        if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
        return body;
      },
    });

    app.route({
      method: 'GET',
      url: '/v1/runs',
      config: { scope: 'read' },
      schema: {
        operationId: 'listRuns',
        summary: 'Runs, open ones first, then the latest',
        tags: ['runs'],
        querystring: z.strictObject({
          agent: agentName.optional(),
          status: z.enum(LISTED_STATUSES).optional(),
          key: z
            .string()
            .regex(/^[\x20-\x7e]{1,255}$/)
            .optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z
            .string()
            .max(2_000)
            .regex(
              CURSOR,
              'is no cursor of this service: leave it out, or send the one of the last page',
            )
            .optional()
            .meta({ description: '`next` of the page before' }),
        }),
        response: {
          200: z
            .strictObject({ runs: z.array(runSummary), next: z.string().nullable() })
            .describe('A page; `next` is null on the last one'),
          ...problems(),
        },
      },
      // Of what a number may look like in JavaScript, this is one in a query.
      preValidation: async (request) => {
        const { limit } = request.query as { limit?: unknown };
        if (limit === undefined || (typeof limit === 'string' && /^\d+$/.test(limit))) return;
        throw new HttpProblem('http.bad_request', 'The limit is a number in decimal digits.');
      },
      handler: async (request) => {
        const { limit, cursor, key, ...filter } = request.query;
        const { tenant } = callerOf(request);
        const list = { tenant, ...defined(filter), ...(key === undefined ? {} : { key }) };
        const names =
          filter.agent === undefined ? (client.context.registry?.names() ?? []) : [filter.agent];
        const ids =
          key === undefined
            ? {}
            : {
                workflowIds: names.map((agent) =>
                  workflowIdOf({ tenant, agent, key }, client.context.hashKeys),
                ),
              };
        const token = cursor === undefined ? undefined : tokenOf(cursor, list);
        const page = await readAfter(token, (after) =>
          client.page({ ...defined(filter), ...ids, tenant }, { limit, cursor: after }),
        );
        return {
          runs: page.runs.map(({ workflowId, ...summary }) => ({
            id: workflowId,
            runId: summary.runId,
            agent: summary.agent,
            tenant: summary.tenant,
            key: summary.key,
            status: summary.status,
            shadow: summary.shadow,
            error: summary.error,
            startedAt: summary.startedAt,
            closedAt: summary.closedAt,
          })),
          next: page.next === null ? null : cursorAfter(page.next, list),
        };
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/runs/:id/cancel',
      config: { scope: 'start' },
      schema: {
        operationId: 'cancelRun',
        summary: 'Ask a run to stop; one that has ended stays as it is',
        tags: ['runs'],
        params,
        body: emptyBody,
        response: {
          202: runAsked('Asked, or it had ended already'),
          ...problems(404, 413, 415),
        },
      },
      handler: async (request, reply) => {
        const identity = runOf(callerOf(request), request.params.id);
        const view = await withoutTraces(() => client.cancel(identity));
        return reply.code(202).header('location', locationOf(view.workflowId)).send(toBody(view));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/runs/:id/resume',
      config: { scope: 'start' },
      schema: {
        operationId: 'resumeRun',
        summary: 'Go on with a run that failed or was cancelled; what is recorded is not repeated',
        tags: ['runs'],
        params,
        body: resumeBody,
        response: {
          202: runAsked('The run that goes on; a run that did not fail, as it stands'),
          ...problems(404, 409, 413, 415, 422),
        },
      },
      handler: async (request, reply) => {
        const identity = runOf(callerOf(request), request.params.id);
        const limits = request.body?.limits;
        const view = await withoutTraces(() =>
          client.resume(identity, limits === undefined ? {} : { limits: defined(limits) }),
        );
        if (view.replayed) void reply.header('idempotent-replayed', 'true');
        return reply.code(202).header('location', locationOf(view.workflowId)).send(toBody(view));
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/runs/:id/forget',
      config: { scope: 'admin' },
      schema: {
        operationId: 'forgetRun',
        summary: 'Make the key of a run that has ended new again; what it did stays done',
        tags: ['runs'],
        params,
        body: emptyBody,
        response: {
          200: z.strictObject({ id: runId, runId: z.string() }).describe('Forgotten'),
          ...problems(404, 409, 413, 415),
        },
      },
      handler: async (request) => {
        const identity = runOf(callerOf(request), request.params.id);
        const forgotten = await withoutTraces(() => client.forget(identity));
        return { id: forgotten.workflowId, runId: forgotten.runId };
      },
    });

    app.route({
      method: 'POST',
      url: '/v1/runs/:id/steps/:step/decision',
      config: { scope: 'decide' },
      schema: {
        operationId: 'decideStep',
        summary: 'Answer what a run asks about a step; the same answer twice is one',
        tags: ['runs'],
        params: z.strictObject({ id: runId, step: stepName }),
        body: decisionBody,
        response: {
          200: decisionResult.describe('The answer stands'),
          ...problems(404, 409, 413, 415),
        },
      },
      handler: async (request) => {
        const { id, step } = request.params;
        const identity = runOf(callerOf(request), id);
        const { decision, by, round, comment, result, arguments: args, runId } = request.body;
        return withoutTraces(() =>
          client.decide(
            identity,
            {
              step,
              decision,
              by,
              ...(round === undefined ? {} : { round }),
              ...(comment === undefined ? {} : { comment }),
              ...(result === undefined ? {} : { result: result as JsonValue }),
              ...(args === undefined ? {} : { arguments: args }),
            },
            { runId, lookUp: (scope, answer) => outcomeInLedger(ledger, scope, answer) },
          ),
        );
      },
    });
  };
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
