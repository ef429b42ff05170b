import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { defined } from '../../../contract/defined.ts';
import { AgentOnceError } from '../../../contract/errors.ts';
import { workflowIdOf } from '../../../contract/key.ts';
import { FORGOTTEN } from '../../../contract/names.ts';
import type { RunIdentity } from '../../../client/context.ts';
import { collect, findCurrent } from '../../explain/collect.ts';
import type { Explanation } from '../../explain/explanation.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { callerOf } from '../../service/authenticate.ts';
import { explanationFor } from '../../service/operators-only.ts';
import { HttpProblem } from '../../service/problem.ts';
import { RunFeeds } from '../../service/run-feed.ts';
import { runOf, withoutTraces } from '../../service/runs.ts';
import { runId } from '../../service/schemas.ts';
import { streamEvents } from '../../service/stream.ts';
import type { Html } from '../html.ts';
import { recall } from '../flash.ts';
import { LiveParts } from '../live.ts';
import { drawQuestion } from '../pages/question.ts';
import type { ShownStory } from '../pages/shown-story.ts';
import { drawParts, drawStory } from '../pages/story.ts';
import { ROOT, runPath } from '../paths.ts';
import { sendPage } from '../send-page.ts';
import { readArguments } from '../read-run.ts';
import type { PageDeps } from '../deps.ts';
import { access, may } from '../session.ts';

/** How often a story is drawn again though no step of the run has changed. */
const REFRESH_MS = 10_000;

const params = z.object({ id: runId });
/** What a form about a run says: which execution it was drawn of. */
const form = z.object({
  execution: z.uuid(),
  sure: z.literal('yes').optional(),
  /** Of a shadow run: sent twice, it is one. */
  key: z.uuid().optional(),
  /** Of a resume: instead of the run's limit. */
  turns: z.coerce.number().int().min(1).max(1_000_000).optional(),
});
type Form = z.infer<typeof form>;

/** A run's story, and what can be done about the run. */
export function runRoutes(deps: PageDeps): FastifyPluginAsyncZod {
  const { client, ledger, urlOf } = deps;
  const feeds = new RunFeeds(deps);

  const explain = (run: RunIdentity): Promise<Explanation> => {
    const sources = { context: client.context, ledger, urlOf, withInput: true };
    return withoutTraces(() => collect(sources, run));
  };
  const tell = async (caller: Caller, run: RunIdentity, shadowKey: string): Promise<ShownStory> => {
    const explanation = await explain(run);
    return {
      caller,
      explanation: explanationFor(caller, explanation),
      questions: await drawQuestions(deps, caller, explanation),
      shadowKey,
      isKeyKnown: isKeyOf(run, explanation),
    };
  };
  /** A key that is known only by its hash names another run, if any. */
  const isKeyOf = ({ workflowId }: RunIdentity, { tenant, agent, key }: Explanation): boolean =>
    workflowIdOf({ tenant, agent, key }, client.context.hashKeys) === workflowId;

  return async (app) => {
    app.route({
      method: 'GET',
      url: `${ROOT}/runs/:id`,
      config: access('read'),
      schema: { hide: true, params },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const run = runOf(caller, request.params.id);
        const said = recall(request, reply);
        const page = drawStory(await tell(caller, run, randomUUID()), said);
        return sendPage(reply, page);
      },
    });

    app.route({
      method: 'GET',
      url: `${ROOT}/runs/:id/live`,
      exposeHeadRoute: false,
      config: access('read'),
      schema: { hide: true, params, querystring: z.object({ key: z.uuid() }) },
      handler: async (request, reply) => {
        const caller = callerOf(request);
        const run = runOf(caller, request.params.id);
        const { key } = request.query;
        // Before the stream begins an error is still a page.
        const { type } = await withoutTraces(() => findCurrent(client.context, run));
        await streamEvents(deps, request, reply, async (response, signal) => {
          const parts = new LiveParts(response, async () =>
            drawParts(await tell(caller, run, key)),
          );
          // Of a forgotten run nothing changes any more.
          if (type !== FORGOTTEN) {
            const again = setInterval(() => parts.refresh(), REFRESH_MS);
            const told = feeds.follow(run, (snapshot) => parts.changed(snapshot), signal);
            await told.finally(() => clearInterval(again));
          }
          if (!signal.aborted) await parts.finish();
        });
        return reply;
      },
    });

    const act = (
      path: string,
      scope: 'start' | 'admin',
      what: (run: RunIdentity, sent: Form) => Promise<{ workflowId: string }>,
    ): void => {
      app.route({
        method: 'POST',
        url: `${ROOT}/runs/:id/${path}`,
        config: access(scope),
        schema: { hide: true, params, body: form },
        handler: async (request, reply) => {
          const run = runOf(callerOf(request), request.params.id);
          const sent = request.body;
          if (NEEDS_TICK.has(path) && sent.sure !== 'yes') throw notSure();
          const { workflowId } = await withoutTraces(() => what(run, sent));
          return reply.redirect(runPath(workflowId), 303);
        },
      });
    };
    /** Another run may have the key by now, whose story nobody has seen. */
    const assertSame = async (run: RunIdentity, { execution }: Form): Promise<void> => {
      if ((await client.describe(run)).runId !== execution) throw goneOn();
    };
    const explainSame = async (run: RunIdentity, { execution }: Form) => {
      const explanation = await explain(run);
      if (explanation.executions.at(-1)?.runId !== execution) throw goneOn();
      return explanation;
    };
    act('cancel', 'start', async (run, sent) => {
      await assertSame(run, sent);
      return client.cancel(run);
    });
    act('resume', 'start', async (run, sent) => {
      await assertSame(run, sent);
      return client.resume(
        run,
        sent.turns === undefined ? {} : { limits: { maxTurns: sent.turns } },
      );
    });
    act('forget', 'admin', async (run, sent) => {
      await assertSame(run, sent);
      return client.forget(run);
    });
    act('start', 'start', async (run, sent) => {
      const explanation = await explainSame(run, sent);
      const { request, tenant, agent, key } = explanation;
      if (!request) throw unreadable();
      if (!isKeyOf(run, explanation)) throw keyUnknown();
      return client.start({ tenant, agent, key, ...defined(request) });
    });
    act('shadow', 'start', async (run, sent) => {
      const { request } = await explainSame(run, sent);
      if (!request) throw unreadable();
      const { agent, tenant } = run;
      const options = { ...request.options, shadow: true as const };
      return client.start({
        agent,
        tenant,
        key: `shadow-${sent.key ?? randomUUID()}`,
        ...defined(request),
        options,
      });
    });
  };
}

/** Actions after which effects are made again. */
const NEEDS_TICK: ReadonlySet<string> = new Set(['forget', 'start']);

async function drawQuestions(
  deps: PageDeps,
  caller: Caller,
  explanation: Explanation,
): Promise<Html[]> {
  const { waiting, workflowId, scope, executions } = explanation;
  const given = await readArguments(deps, scope, explanation, waiting);
  return waiting.map((question) =>
    drawQuestion({
      workflowId,
      runId: executions.at(-1)?.runId ?? '',
      question,
      given: given.get(question.step),
      mayDecide: may(caller, 'decide'),
    }),
  );
}

function unreadable(): HttpProblem {
  return new HttpProblem(
    'http.bad_request',
    'The input of this run can no longer be read, so no run was started.',
  );
}

function keyUnknown(): HttpProblem {
  return new HttpProblem(
    'http.bad_request',
    'The key of this run is a secret that this service does not know, so no run was started. Whoever has the key can start it.',
  );
}

function goneOn(): AgentOnceError {
  return new AgentOnceError(
    'run.still_running',
    'The run has gone on since this page was drawn: it was resumed, reset, or begun anew. Nothing was done. Look at it again.',
  );
}

function notSure(): HttpProblem {
  return new HttpProblem(
    'http.bad_request',
    'Tick the box to say that you are sure. Nothing was done.',
  );
}
