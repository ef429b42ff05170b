import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DEFAULT_TENANT } from '../../contract/key.ts';
import { SCOPES, type ApiKeys, type Caller, type Scope } from './api-keys/port.ts';
import type { ServiceDeps } from './deps.ts';
import { HttpProblem } from './problem.ts';

/** Whoever reaches a service without API keys. */
const ANYBODY: Caller = {
  tenant: DEFAULT_TENANT,
  scopes: new Set(SCOPES),
  keyPrefix: 'open',
  name: '',
};

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** What a caller must be allowed to do. */
    scope?: Scope;
    /** Where the API key is; default: the header `Authorization`. */
    keyOf?: (request: FastifyRequest) => string | undefined;
  }
}

/**
 * Finds out who sent a request, and whether it may. The tenant is the API key's, whatever a header
 * says. Requests are counted by tenant, and by address only what fails here: whoever shares it and
 * has a key is not kept out.
 */
export function authenticateRequests(
  app: FastifyInstance,
  { apiKeys, settings }: ServiceDeps,
): void {
  app.decorateRequest('caller', null);
  const countFailure = app.createRateLimit({
    max: settings.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => request.ip,
    allowList: [],
  });
  const refuse = async (request: FastifyRequest, detail: string): Promise<HttpProblem> => {
    const failures = await countFailure(request);
    if (failures.isAllowed || !failures.isExceeded) return unauthorized(detail);
    return new HttpProblem(
      'http.rate_limited',
      `More than ${settings.requestsPerMinute} requests without a valid API key came from this address in a minute. Nothing was done. One with a valid key is answered at once.`,
      { 'retry-after': String(failures.ttlInSeconds) },
    );
  };
  const countRequest = app.rateLimit();
  app.addHook('onRequest', async (request, reply) => {
    const { scope } = request.routeOptions.config;
    if (scope === undefined) return;
    const caller = apiKeys ? await callerWith(apiKeys, request) : ANYBODY;
    if (typeof caller === 'string') throw await refuse(request, caller);
    request.caller = caller;
    // Before anything can be refused: what is refused is a request as well.
    await countRequest.call(app, request, reply);
    if (!caller.scopes.has(scope) && !caller.scopes.has('admin')) {
      throw new HttpProblem(
        'http.forbidden',
        `This API key does not have the scope "${scope}". Nothing was done.`,
      );
    }
  });
}

/** The caller of a request to a route with a scope. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller) return request.caller;
  throw unauthorized('No API key was sent.');
}

/**
 * Whether the caller of a request that is still being answered may still do what it asked for.
 *
 * @throws {AgentOnceError} `ledger.unreachable`: nobody knows
 */
export async function isStillAllowed(
  { apiKeys }: Pick<ServiceDeps, 'apiKeys'>,
  request: FastifyRequest,
): Promise<boolean> {
  const { scope } = request.routeOptions.config;
  if (!apiKeys || scope === undefined) return true;
  const caller = await callerWith(apiKeys, request);
  return typeof caller !== 'string' && (caller.scopes.has(scope) || caller.scopes.has('admin'));
}

/** Or what is wrong with the key. */
async function callerWith(apiKeys: ApiKeys, request: FastifyRequest): Promise<Caller | string> {
  const { keyOf = bearerKey } = request.routeOptions.config;
  const key = keyOf(request);
  if (key === undefined) return 'Send an API key as "Authorization: Bearer …".';
  return (await apiKeys.authenticate(key)) ?? 'The API key is not known, or was revoked.';
}

function bearerKey({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,200}) *$/i.exec(headers.authorization ?? '')?.[1];
}

function unauthorized(detail: string): HttpProblem {
  return new HttpProblem('http.unauthorized', `${detail} Nothing was done.`, {
    'www-authenticate': 'Bearer',
  });
}
