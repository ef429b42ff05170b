import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AgentOnceError } from '../../../contract/errors.ts';
import type { RunIdentity } from '../../../client/context.ts';
import { collect } from '../../explain/collect.ts';
import type { Caller } from '../../service/api-keys/port.ts';
import { callerOf } from '../../service/authenticate.ts';
import { explanationFor, type ShownExplanation } from '../../service/operators-only.ts';
import { HttpProblem } from '../../service/problem.ts';
import { RunFeeds } from '../../service/run-feed.ts';
import { runOf, withoutTraces } from '../../service/runs.ts';
import { runId } from '../../service/schemas.ts';
import { streamEvents } from '../../service/stream.ts';
import type { Html } from '../html.ts';
import { recall } from '../flash.ts';
import { LiveParts } from '../live.ts';
import { drawQuestion } from '../pages/question.ts';
import { drawParts, drawStory } from '../pages/story.ts';
import { ROOT, runPath } from '../paths.ts';
import { readAskingRun } from '../read-run.ts';
import type { PageDeps } from '../deps.ts';
import { access, may } from '../session.ts';

const params = z.object({ id: runId });
/** What a form about a run says: which execution it was drawn of. */
const form = z.object({
  execution: z.uuid(),
  sure: z.literal('yes').optional(),
  /** Of a shadow run: sent twice, it is one. */
  key: z.uuid().optional(),
});
type Form = z.infer<typeof form>;

/** A run's story, and what can be done about the run. */
export function runRoutes(deps: PageDeps): FastifyPluginAsyncZod {
  const { client, ledger, urlOf } = deps;
  const feeds = new RunFeeds(deps);

  const explain = async (caller: Caller, run: RunIdentity): Promise<[ShownExplanation, Html[]]> => {
    const sources = { context: client.context, ledger, urlOf, withInput: true };
    const explanation = await withoutTraces(() => collect(sources, run));
    return [
      explanationFor(caller, explanation),
      await drawQuestions(deps, caller, run, explanation),
    ];
  };

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
        const page = drawStory(caller, ...(await explain(caller, run)), randomUUID(), said);
        return reply.type('text/html; charset=utf-8').send(page);
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
        const [{ status }] = await explain(caller, run);
        await streamEvents(deps, request, reply, async (response, signal) => {
          const draw = async () => drawParts(caller, ...(await explain(caller, run)), key);
          const parts = new LiveParts(response, draw);
          // Of a forgotten run nothing changes any more.
          if (status !== 'forgotten') {
            await feeds.follow(run, (snapshot) => parts.changed(snapshot), signal);
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
          if (path === 'forget' && sent.sure !== 'yes') throw notSure();
          const { workflowId } = await withoutTraces(() => what(run, sent));
          return reply.redirect(runPath(workflowId), 303);
        },
      });
    };
    /** Another run may have the key by now, whose story nobody has seen. */
    const assertSame = async (run: RunIdentity, { execution }: Form): Promise<void> => {
      if ((await client.describe(run)).runId !== execution) throw goneOn();
    };
    act('cancel', 'start', async (run, sent) => {
      await assertSame(run, sent);
      return client.cancel(run);
    });
    act('resume', 'start', async (run, sent) => {
      await assertSame(run, sent);
      return client.resume(run);
    });
    act('forget', 'admin', async (run, sent) => {
      await assertSame(run, sent);
      return client.forget(run);
    });
    act('shadow', 'start', async (run, { key = randomUUID() }) => {
      const sources = { context: client.context, ledger, urlOf, withInput: true };
      const { request } = await collect(sources, run);
      if (request?.input === undefined) {
        throw new HttpProblem(
          'http.bad_request',
          'The input of this run can no longer be read, so no shadow run was started.',
        );
      }
      const { agent, tenant } = run;
      return client.start({
        agent,
        tenant,
        key: `shadow-${key}`,
        input: request.input,
        options: { ...request.options, shadow: true },
      });
    });
  };
}

async function drawQuestions(
  deps: PageDeps,
  caller: Caller,
  run: RunIdentity,
  { waiting, workflowId }: { waiting: readonly unknown[]; workflowId: string },
): Promise<Html[]> {
  if (waiting.length === 0) return [];
  const { view, arguments: given } = await readAskingRun(deps, run);
  return view.waiting.map((question) =>
    drawQuestion({
      workflowId,
      runId: view.runId,
      question,
      given: given.get(question.step),
      mayDecide: may(caller, 'decide'),
    }),
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
