import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { drawSignIn } from '../pages/sign-in.ts';
import { ownPath, ROOT } from '../paths.ts';
import { sendPage } from '../send-page.ts';
import type { PageDeps } from '../deps.ts';
import { signIn, signOut } from '../session.ts';

const address = z.string().max(2_000).optional();

export function signInRoutes({ apiKeys }: PageDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.route({
      method: 'GET',
      url: `${ROOT}/sign-in`,
      schema: { hide: true, querystring: z.object({ to: address, wrong: z.string().optional() }) },
      handler: async ({ query: { to, wrong } }, reply) => {
        // Without API keys everybody is signed in.
        if (!apiKeys) return reply.redirect(ownPath(to), 303);
        const problem =
          wrong === undefined
            ? undefined
            : 'This API key is not known, or was revoked. Try another.';
        return sendPage(reply, drawSignIn(ownPath(to), problem));
      },
    });

    app.route({
      method: 'POST',
      url: `${ROOT}/sign-in`,
      schema: { hide: true, body: z.object({ key: z.string().max(200), to: address }) },
      handler: async ({ body: { key, to } }, reply) => {
        // Whether it is a good one shows at once: every page asks for it, and counts failures.
        signIn(reply, key.trim());
        return reply.redirect(ownPath(to), 303);
      },
    });

    app.route({
      method: 'POST',
      url: `${ROOT}/sign-out`,
      schema: { hide: true },
      handler: async (_request, reply) => {
        signOut(reply);
        return reply.redirect(`${ROOT}/sign-in`, 303);
      },
    });
  };
}
