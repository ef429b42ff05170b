import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { defined } from '../../../contract/defined.ts';
import { LISTED_STATUSES } from '../../../contract/run.ts';
import { callerOf } from '../../service/authenticate.ts';
import { CURSOR, cursorAfter, readAfter, tokenOf } from '../../service/cursor.ts';
import { agentName } from '../../service/schemas.ts';
import { recall } from '../flash.ts';
import { drawDecided } from '../pages/decided.ts';
import { drawInbox } from '../pages/inbox.ts';
import { drawRuns } from '../pages/runs.ts';
import { ROOT } from '../paths.ts';
import { sendPage } from '../send-page.ts';
import type { PageDeps } from '../deps.ts';
import { access } from '../session.ts';

const RUNS_SHOWN = 50;
const DECISIONS_SHOWN = 50;

/** A field of a form that was left empty says nothing. */
function orEmpty<T extends z.ZodType>(schema: T) {
  return z.union([z.literal('').transform(() => undefined), schema]).optional();
}

/** As `<input type="number">` sends it. */
const money = z.coerce.number().min(0).max(1_000_000_000);

/** Where a page of questions begins. */
const position = z.string().max(2_000).optional();

/** As `<input type="datetime-local">` sends it. */
const localTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/);

/** What waits, what was decided, and the runs there are. */
export function listRoutes({ client, lists, inbox }: PageDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.route({
      method: 'GET',
      url: `${ROOT}/inbox`,
      config: access('read'),
      schema: {
        hide: true,
        querystring: z.object({ from: position }),
      },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const waiting = await inbox.of(caller.tenant, request.query.from);
        const page = drawInbox(caller, waiting, recall(request, reply));
        return sendPage(reply, page);
      },
    });

    app.route({
      method: 'GET',
      url: `${ROOT}/decided`,
      config: access('read'),
      schema: { hide: true, querystring: z.object({ before: position }) },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const { before } = request.query;
        const found = await lists?.decided(caller.tenant, DECISIONS_SHOWN, before);
        const page = drawDecided(caller, found?.items, found?.next);
        return sendPage(reply, page);
      },
    });

    app.route({
      method: 'GET',
      url: `${ROOT}/runs`,
      config: access('read'),
      schema: {
        hide: true,
        querystring: z.object({
          agent: orEmpty(agentName),
          status: orEmpty(z.enum(LISTED_STATUSES)),
          after: orEmpty(localTime),
          before: orEmpty(localTime),
          cost: orEmpty(money),
          cursor: z.string().max(2_000).regex(CURSOR).optional(),
        }),
      },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const { cursor, after, before, cost, ...query } = request.query;
        const { tenant } = caller;
        const filter = defined({
          ...query,
          startedAfter: isoOf(after),
          startedBefore: isoOf(before),
          costAtLeastUsd: cost,
        });
        const list = { tenant, ...filter };
        const token = cursor === undefined ? undefined : tokenOf(cursor, list);
        const { runs, next } = await readAfter(token, (from) =>
          client.page(list, { limit: RUNS_SHOWN, cursor: from }),
        );
        const shown = defined({ ...query, after, before, cost: cost?.toString() });
        const address =
          next === null
            ? undefined
            : `${ROOT}/runs?${new URLSearchParams({ ...shown, cursor: cursorAfter(next, list) }).toString()}`;
        const agents = client.context.registry?.names() ?? [];
        const hasCosts = client.context.searchAttributes;
        const page = drawRuns(caller, runs, shown, { agents, hasCosts }, address);
        return sendPage(reply, page);
      },
    });
  };
}

function isoOf(local: string | undefined): string | undefined {
  return local === undefined ? undefined : `${local.length === 16 ? `${local}:00` : local}Z`;
}
