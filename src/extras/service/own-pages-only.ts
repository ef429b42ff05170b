import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problem.ts';

/** A name of this machine itself, with or without a port. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * For a service that asks for no API keys: a browser on this machine reaches it for any page that
 * the user looks at. A page of another origin is told by `Origin` or `Sec-Fetch-Site`; one whose
 * name was made to stand for this machine (DNS rebinding) by `Host`.
 */
export function refuseForeignPages(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    const { host = '', origin } = headers;
    if (!LOOPBACK.test(host)) {
      throw new HttpProblem(
        'http.foreign_host',
        'Without API keys the service answers to localhost, 127.0.0.1 and [::1] alone. Nothing was done. Send one of these as Host, or have the service ask for API keys.',
      );
    }
    const foreign =
      origin === undefined
        ? isOfAnotherSite(headers['sec-fetch-site'], headers['sec-fetch-mode'])
        : origin.toLowerCase() !== `http://${host.toLowerCase()}`;
    if (foreign) {
      throw new HttpProblem(
        'http.foreign_origin',
        'Without API keys the service does nothing for pages of another origin. Nothing was done. Send the request from no page, or have the service ask for API keys.',
      );
    }
  });
}

/** Without `Origin` a browser sends GET and HEAD alone. Following a link to here is no harm. */
function isOfAnotherSite(site: string | string[] | undefined, mode: unknown): boolean {
  return (site === 'cross-site' || site === 'same-site') && mode !== 'navigate';
}
