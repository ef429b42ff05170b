import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AgentOnceError } from '../../../contract/errors.ts';
import { ABOUT } from './about.ts';
import { Counters } from './counters.ts';
import type { DialectName } from './dialects/dialects.ts';
import type { Parts } from './endpoints.ts';
import { addEndpoints } from './endpoints.ts';
import { FaultQueue, faultOrder } from './fault.ts';
import { Gateway } from './gateway.ts';
import { bodyOf, jsonBodies } from './json-body.ts';
import { loadScripts } from './load-scripts.ts';
import { Player } from './player.ts';
import { RecentRequests, requestQuery } from './recent-requests.ts';

export interface ScriptedModelOptions {
  /** 0 (default): any free one. */
  port?: number;
  /** Folder of script modules; default: the app's own, and the example's. */
  scriptsDir?: string;
  /** Every answer waits this long; default 0. */
  delayMs?: number;
}

export interface ScriptedModel {
  /** `http://127.0.0.1:8080/v1`: what `OPENAI_BASE_URL` is set to. */
  url: string;
  port: number;
  /** The URL of an endpoint that refuses what its namesake refuses: `…/kimi/v1`. */
  dialectUrl(name: DialectName): string;
  /** Stops at once: requests in flight are broken. */
  stop(): Promise<void>;
}

/**
 * Starts the scripted model on 127.0.0.1.
 *
 * @throws {AgentOnceError} `port.in_use`, `part.failed`
 */
export async function startScriptedModel(
  options: ScriptedModelOptions = {},
): Promise<ScriptedModel> {
  const faults = new FaultQueue();
  const scripts = await loadScripts(options.scriptsDir);
  const parts = {
    player: new Player(scripts, faults, options.delayMs ?? 0),
    counters: new Counters(),
    requests: new RecentRequests(),
    gateway: new Gateway(),
  };
  // Long conversations are one request: the body may be large. Hanging requests must not hold stop().
  const app = fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true });
  jsonBodies(app);
  addEndpoints(app, parts);
  addControls(app, parts, faults);
  try {
    await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new AgentOnceError(
      'port.in_use',
      `Port ${options.port}, where the scripted model should listen, is in use. Stop what listens there, or choose another port (0: any free one).`,
      { cause: error },
    );
  }
  const { port } = app.server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: `${origin}/v1`,
    port,
    dialectUrl: (name) => `${origin}/${name}/v1`,
    stop: () => app.close(),
  };
}

/** What tests watch and steer the model with. */
function addControls(app: FastifyInstance, parts: Parts, faults: FaultQueue): void {
  const { player, counters, requests, gateway } = parts;
  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(ABOUT));
  app.get('/counters', () => counters.toJSON());
  app.post('/counters/reset', () => {
    counters.reset();
    requests.clear();
    return counters.toJSON();
  });
  app.get('/requests', (request) => ({
    requests: requests.find(requestQuery.parse(request.query)),
  }));

  app.get('/faults', () => ({ faults: faults.list() }));
  app.post('/faults', (request) => {
    faults.add(faultOrder.parse(bodyOf(request).value));
    return { faults: faults.list() };
  });
  app.delete('/faults', () => {
    faults.clear();
    return { faults: [] };
  });
  app.post('/delay', (request) => {
    const { ms } = z
      .strictObject({ ms: z.number().int().nonnegative() })
      .parse(bodyOf(request).value);
    player.delayMs = ms;
    return { ms };
  });
  app.post('/gateway', (request) => {
    const { replay } = z.strictObject({ replay: z.boolean() }).parse(bodyOf(request).value);
    gateway.always = replay;
    if (!replay) gateway.clear();
    return { replay };
  });

  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof z.ZodError) {
      return reply.code(400).send({ error: { message: z.prettifyError(error) } });
    }
    const { statusCode = 500, message } = error as Error & { statusCode?: number };
    return reply.code(statusCode).send({ error: { message } });
  });
}
