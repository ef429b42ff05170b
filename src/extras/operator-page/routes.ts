import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { readConfig } from '../../config.ts';
import { isObject } from '../../contract/json-value.ts';
import { HttpProblem, problemOf } from '../service/problem.ts';
import type { ServiceDeps } from '../service/deps.ts';
import { serveAssets } from './assets.ts';
import type { PageDeps } from './deps.ts';
import { Inbox } from './inbox.ts';
import { drawProblem } from './pages/problem.ts';
import { ROOT } from './paths.ts';
import { openQuestionLists } from './question-lists.ts';
import { sendPage } from './send-page.ts';
import { refuseOtherSites } from './same-origin.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { listRoutes } from './routes/lists.ts';
import { runRoutes } from './routes/run.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { startRoutes } from './routes/start.ts';
import { keyOf, signOut } from './session.ts';

/** Of a page: its own style and script, and nothing of anybody else. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none';script-src 'self';style-src 'self';img-src data:;connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'";

/** All addresses below `/app`. */
export function operatorRoutes(service: ServiceDeps): FastifyPluginAsyncZod {
  return async (app) => {
    const { publicUrl, ledgerUrl } = readConfig();
    const lists = openQuestionLists(ledgerUrl);
    app.addHook('onClose', () => lists?.close());
    const deps: PageDeps = { ...service, lists, inbox: new Inbox(service.client, lists) };
    await app.register(cookie);
    await app.register(formbody, { bodyLimit: 2 * 1024 * 1024 });
    refuseOtherSites(app, publicUrl);
    app.addHook('onRequest', async (_request, reply) => {
      void reply.headers({
        'content-security-policy': CONTENT_SECURITY_POLICY,
        // Without a referrer a browser sends the origin of a form as `null`.
        'referrer-policy': 'same-origin',
      });
    });
    app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply));

    await serveAssets(app);
    for (const url of [ROOT, `${ROOT}/`]) {
      app.get(url, { schema: { hide: true } }, async (_request, reply) =>
        reply.redirect(`${ROOT}/inbox`, 303),
      );
    }
    app.get(`${ROOT}/*`, { schema: { hide: true } }, () => {
      throw new HttpProblem('http.not_found', 'There is no page at this address.');
    });
    await app.register(signInRoutes(deps));
    await app.register(listRoutes(deps));
    await app.register(runRoutes(deps));
    await app.register(decisionRoutes(deps));
    await app.register(startRoutes(deps));
  };
}

/** As a page. Whoever is not signed in is asked to, and comes back to where they were going. */
function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  const { problem, headers } = problemOf(asProblem(error));
  if (problem.status >= 500) request.log.error({ err: error }, 'A page failed');
  if (problem.status === 401 && request.method === 'GET') {
    const wrong = keyOf(request) === undefined ? '' : '&wrong=1';
    signOut(reply);
    return reply.redirect(`${ROOT}/sign-in?to=${encodeURIComponent(request.url)}${wrong}`, 303);
  }
  const page = drawProblem(problem.title, problem.detail, request.caller ?? undefined);
  return sendPage(reply.code(problem.status).headers(headers), page);
}

/** What Fastify refuses, such as a number that is none. */
function asProblem(error: unknown): unknown {
  const { statusCode, message } = isObject(error)
    ? (error as { statusCode?: unknown; message?: unknown })
    : {};
  if (error instanceof HttpProblem || typeof statusCode !== 'number' || statusCode >= 500)
    return error;
  return new HttpProblem('http.bad_request', `${String(message)}. Nothing was done.`);
}
