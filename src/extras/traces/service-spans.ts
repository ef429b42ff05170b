import { tracingChannel } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import {
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
} from '@opentelemetry/api';
import { ofRequest } from './current.ts';
import { tracer } from './run-ids.ts';

/** What Fastify tells of a request that it hands to a route. */
interface Handled {
  request: { headers: IncomingHttpHeaders; method: string };
  reply: { raw: ServerResponse };
  route: { url?: string };
}

/**
 * A span for each request of the service's API that reaches its route, in the trace that the request
 * names. Fastify tells of them on a channel, so the service knows nothing of it. Requests about the
 * service's health and documentation have none.
 */
export function traceRequests(): void {
  const { start } = tracingChannel<Context, Handled>('fastify.request.handler');
  start.bindStore(ofRequest, ({ request, reply, route }) => {
    const { url = '' } = route;
    if (!url.startsWith('/v1/')) return ROOT_CONTEXT;
    const { headers, method } = request;
    const attributes = { 'http.request.method': method, 'http.route': url };
    const how = { kind: SpanKind.SERVER, attributes };
    const from = propagation.extract(ROOT_CONTEXT, headers);
    const span = tracer().startSpan(`${method} ${url}`, how, from);
    reply.raw.once('close', () => {
      const { statusCode } = reply.raw;
      span.setAttribute('http.response.status_code', statusCode);
      if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    return trace.setSpan(from, span);
  });
}
