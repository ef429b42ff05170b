import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DEFAULT_TENANT } from '../contract/key.ts';
import { SCOPES, type Caller, type Scope } from './api-keys/port.ts';
import type { ServiceDeps } from './deps.ts';
import { HttpProblem } from './problem.ts';

/** Whoever reaches a service without API keys. */
const ANYBODY: Caller = {
  tenant: DEFAULT_TENANT,
  scopes: new Set(SCOPES),
  keyPrefix: 'open',
};

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** What a caller must be allowed to do. */
    scope?: Scope;
  }
}

/** Finds out who sent a request. The tenant is the API key's, whatever a header says. */
export function authenticateRequests(app: FastifyInstance, { apiKeys }: ServiceDeps): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    const { scope } = request.routeOptions.config;
    if (scope === undefined) return;
    const caller = apiKeys ? await apiKeys.authenticate(bearer(request)) : ANYBODY;
    if (!caller) throw unauthorized('The API key is not known, or was revoked.');
    if (!caller.scopes.has(scope) && !caller.scopes.has('admin')) {
      throw new HttpProblem(
        'http.forbidden',
        `This API key does not have the scope "${scope}". Nothing was done.`,
      );
    }
    request.caller = caller;
  });
}

/** The caller of a request to a route with a scope. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller) return request.caller;
  throw unauthorized('No API key was sent.');
}

function bearer({ headers }: FastifyRequest): string {
  const key = /^Bearer +([\x21-\x7e]{1,200}) *$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) {
    throw unauthorized('Send an API key as "Authorization: Bearer …".');
  }
  return key;
}

function unauthorized(detail: string): HttpProblem {
  return new HttpProblem('http.unauthorized', `${detail} Nothing was done.`, {
    'www-authenticate': 'Bearer',
  });
}
