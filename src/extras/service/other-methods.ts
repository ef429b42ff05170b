import type { FastifyInstance, HTTPMethods } from 'fastify';
import { HttpProblem } from './problem.ts';

/**
 * Watches the routes that are added from now on.
 *
 * @returns to be called when all are there: from then on methods that a route does not have are
 *   answered with 405 and `Allow` (RFC 9110 section 15.5.6)
 */
export function watchMethods(app: FastifyInstance): () => void {
  const routes = new Map<string, Set<HTTPMethods>>();
  let watching = true;
  app.addHook('onRoute', ({ url, method }) => {
    if (!watching || !url.startsWith('/v1/')) return;
    const methods = routes.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    routes.set(url, methods);
  });
  return () => {
    watching = false;
    for (const [url, methods] of routes) {
      const allow = [...methods].sort().join(', ');
      app.route({
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        url,
        schema: { hide: true },
        // Before the body is looked at: it may be missing, or of any kind.
        onRequest: async () => {
          throw new HttpProblem('http.method_not_allowed', `Only ${allow} is allowed here.`, {
            allow,
          });
        },
        handler: () => undefined,
      });
    }
  };
}
