import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../service/problem.ts';

/**
 * Refuses what a page of another site sends with the session of whoever looks at it (CSRF). Every
 * browser says where a request comes from: in `Sec-Fetch-Site`, or at least in `Origin`
 * (https://owasp.org, Cross-Site Request Forgery Prevention, "Fetch Metadata").
 *
 * @param publicOrigin where people reach the page, if a proxy gives the service another host name
 */
export function refuseOtherSites(app: FastifyInstance, publicOrigin: string | undefined): void {
  app.addHook('onRequest', async ({ method, headers }) => {
    if (method === 'GET' || method === 'HEAD') return;
    const { host = '', origin } = headers;
    const site = headers['sec-fetch-site'];
    const same =
      site === undefined
        ? origin !== undefined && (hostOf(origin) === host.toLowerCase() || origin === publicOrigin)
        : site === 'same-origin';
    if (same) return;
    throw new HttpProblem(
      'http.foreign_origin',
      'This request came from another site, so nothing was done. Open the page itself, and repeat it there.',
    );
  });
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
