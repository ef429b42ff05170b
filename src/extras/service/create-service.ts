import rateLimit from '@fastify/rate-limit';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
} from 'fastify';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { LIMITS } from '../../contract/limits.ts';
import { authenticateRequests } from './authenticate.ts';
import type { ServiceDeps } from './deps.ts';
import type { ServicePages } from './pages.ts';
import { describeApi } from './openapi.ts';
import { refuseForeignPages } from './own-pages-only.ts';
import { PROBLEM_JSON } from '../idempotency/problem-details.ts';
import { refuseManyLines } from './many-lines.ts';
import { HttpProblem, problemOf } from './problem.ts';
import { watchMethods } from './other-methods.ts';
import { aboutRun, RequestLog } from './request-log.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { cloudEventRoutes } from './routes/cloud-events.ts';
import { runRoutes } from './routes/runs.ts';
import { startRoute } from './routes/start-run.ts';
import { stepRoutes } from './routes/steps.ts';
import { SECURITY_HEADERS, sendSecurityHeaders } from './security-headers.ts';
import { acceptStrictJson, refuseEncodings } from './strict-json.ts';
import { answerInPlaceOfNode, answerUnreadable } from './unreadable.ts';

/** How long a service that stops waits for answers to be read. */
const SLOWEST_READER_MS = 10_000;
/** How long a request may take to come, from its first byte to its last. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The HTTP application. It listens nowhere yet: `run-service.ts` does, tests inject requests.
 * Every answer that is no success is a problem (RFC 9457).
 *
 * @param pages what extras serve besides
 */
export async function createService(
  deps: ServiceDeps,
  pages: readonly ServicePages[] = [],
): Promise<FastifyInstance> {
  const stopping = new AbortController();
  const app = fastify({
    bodyLimit: LIMITS.inputBytes,
    // Some of a slow sender's request is not a request.
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { requireHostHeader: false, connectionsCheckingInterval: 5_000 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1_000 },
    logger: deps.logLevel === 'silent' ? false : deps.pino(loggerOptions(deps.logLevel)),
    logController: new RequestLog(),
    genReqId: () => crypto.randomUUID(),
    // Before any hook.
    frameworkErrors: (error, _request, reply) => {
      for (const [name, value] of SECURITY_HEADERS) reply.raw.setHeader(name, value);
      answerError(error, reply);
    },
    clientErrorHandler: answerUnreadable,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler);
  app.decorateRequest('run', null);
  app.decorate('stopping', stopping.signal);
  app.addHook('preClose', async () => stopping.abort(stoppingProblem()));
  closeAfterAnswers(app);

  app.removeAllContentTypeParsers();
  acceptStrictJson(app, 'application/json');
  app.setErrorHandler((error, request, reply) => {
    const status = answerError(error, reply);
    if (status >= 500) request.log.error({ err: error, ...aboutRun(request) }, 'A request failed');
  });
  app.setNotFoundHandler(() => {
    throw new HttpProblem('http.not_found', 'There is nothing at this address; see /docs.');
  });
  const refuseOtherMethods = watchMethods(app);
  sendSecurityHeaders(app);
  refuseManyLines(app);
  answerInPlaceOfNode(app);
  if (!deps.apiKeys) refuseForeignPages(app);
  await app.register(rateLimit, {
    // Whoever was authenticated is counted there, in one count for all routes.
    global: false,
    max: deps.settings.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => request.caller?.tenant ?? request.ip,
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpProblem(
        'http.rate_limited',
        `More than ${deps.settings.requestsPerMinute} requests in a minute. Nothing was done; try again in ${Math.ceil(ttl / 1_000)} s with the same key.`,
      ),
  });
  // Whoever keeps a connection open finds another service with its next request.
  app.addHook('onSend', async (_request, reply) => {
    if (deps.leaving.aborted) void reply.header('connection', 'close');
  });
  authenticateRequests(app, deps);
  refuseEncodings(app);
  await describeApi(app);
  await app.register(async (api) => {
    await api.register(startRoute(deps));
    await api.register(cloudEventRoutes(deps));
    await api.register(runRoutes(deps));
    await api.register(stepRoutes(deps));
    await api.register(eventRoutes(deps));
    await api.register(healthRoutes(deps));
  });
  for (const { load } of pages) await app.register((await load())(deps));
  refuseOtherMethods();
  return app;
}

/**
 * Node closes the connections that are idle when a server stops. One whose request is answered a
 * moment later would stay open for as long as its client keeps it, and hold up the end.
 */
function closeAfterAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', async ({ raw }) => {
    if (app.stopping.aborted) raw.socket.destroySoon();
  });
  // Whoever reads too slowly to have got the answer by then gets no more of it.
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), SLOWEST_READER_MS).unref();
  });
}

/** Structured logs without what may be a secret: no headers, no bodies, and no IDs, which hold keys. */
function loggerOptions(
  level: string,
): Exclude<FastifyServerOptions['logger'], boolean | undefined> {
  return {
    level,
    // What becomes of the service where that is a full disk, says whoever started it.
    stream: process.stdout,
    serializers: {
      req: (request) => ({ method: request.method, url: request.routeOptions?.url ?? '' }),
      res: (reply) => ({ statusCode: reply.statusCode ?? 0 }),
      workflowId: () => undefined,
      err: ({ name, message, stack = '' }) => ({ type: name, message, stack }),
    },
  };
}

function answerError(error: unknown, reply: FastifyReply): number {
  const { problem, headers } = problemOf(fromFastify(error));
  void reply
    .code(problem.status)
    .headers(headers)
    .type(`${PROBLEM_JSON}; charset=utf-8`)
    // As text: the status may be one that the route does not document.
    .serializer((text: unknown) => String(text))
    .send(JSON.stringify(problem));
  return problem.status;
}

/** What Fastify and its validation throw, in our words. */
function fromFastify(error: unknown): unknown {
  const { statusCode, code, validation, message } = error as Partial<FastifyError>;
  if (validation) {
    const details = validation.map(({ instancePath, message: what }) =>
      `${instancePath || 'the body'}: ${what ?? 'is not valid'}`.slice(0, 300),
    );
    return new HttpProblem(
      'http.bad_request',
      `${details.slice(0, 5).join('; ')}. Nothing was done.`,
    );
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new HttpProblem(
      'http.unsupported_media_type',
      'Send the body as application/json. Nothing was done; the same key can be used again.',
    );
  }
  if (statusCode === 413) {
    return new HttpProblem(
      'http.body_too_large',
      `The body has more than ${LIMITS.inputBytes} bytes (1 MiB). Nothing was done. Put what is large where a tool can read it, and send a reference.`,
    );
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HttpProblem('http.bad_request', `${message ?? 'The request cannot be read'}`);
  }
  return error;
}

function stoppingProblem(): HttpProblem {
  return new HttpProblem(
    'http.stopping',
    'The service is stopping. The run goes on: repeat the request with the same key.',
    { 'retry-after': '1' },
  );
}
