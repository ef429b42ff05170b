import { subscribe, tracingChannel } from 'node:diagnostics_channel';
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
import { logFields } from './in-span.ts';
import { tracer } from './run-ids.ts';

/** What is used of Fastify, which is there where the service is. */
interface Log {
  child(bindings: object): Log;
}
interface Request {
  headers: IncomingHttpHeaders;
  method: string;
  routeOptions: { url?: string };
  log: Log;
}
interface Reply {
  raw: ServerResponse;
  log: Log;
}
interface Fastify {
  addHook(
    at: 'onRequest',
    hook: (request: Request, reply: Reply, done: () => void) => void,
  ): unknown;
}

/**
 * A span for each request to the service's API, in the trace that the request names, refused ones too;
 * the request's lines of the log name it. Fastify tells of itself and of its requests on channels, so the
 * service knows nothing of this. Requests about the service's health and documentation have none.
 */
export function traceRequests(): void {
  const traces = new WeakMap<Request, Context>();
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { fastify: Fastify };
    fastify.addHook('onRequest', (request, reply, done) => {
      const own = begin(request, reply);
      if (own) traces.set(request, own);
      done();
    });
  });
  // By the request: what reads its body has lost the context that it began in.
  tracingChannel<Context, { request: Request }>('fastify.request.handler').start.bindStore(
    ofRequest,
    ({ request }) => traces.get(request) ?? ROOT_CONTEXT,
  );
}

function begin(request: Request, reply: Reply): Context | undefined {
  const { url = '' } = request.routeOptions;
  if (!url.startsWith('/v1/')) return undefined;
  const { headers, method } = request;
  const attributes = { 'http.request.method': method, 'http.route': url };
  const how = { kind: SpanKind.SERVER, attributes };
  const from = propagation.extract(ROOT_CONTEXT, headers);
  const span = tracer().startSpan(`${method} ${url}`, how, from);
  const own = trace.setSpan(from, span);
  request.log = reply.log = request.log.child({ ...logFields(own) });
  reply.raw.once('close', () => {
    const { statusCode } = reply.raw;
    span.setAttribute('http.response.status_code', statusCode);
    if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
  return own;
}
