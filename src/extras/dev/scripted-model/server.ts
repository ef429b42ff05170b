import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AgentOnceError } from '../../../contract/errors.ts';
import { ABOUT } from './about.ts';
import { Counters } from './counters.ts';
import { invalid, openAiErrorBody } from './dialect.ts';
import { addEndpoints } from './endpoints.ts';
import { PLAIN, type Extension } from './extension.ts';
import { loadScripts } from './load-scripts.ts';
import { Player } from './player.ts';

export interface ScriptedModelOptions {
  /** 0 (default): any free one. */
  port?: number;
  /** Folder of script modules; default: the app's own, and the example's. */
  scriptsDir?: string;
  /** Every answer waits this long; default 0. */
  delayMs?: number;
  /** For tests that need more of a model. */
  extension?: Extension;
}

export interface ScriptedModel {
  /** `http://127.0.0.1:8080/v1`: what `OPENAI_BASE_URL` is set to. */
  url: string;
  port: number;
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
  const { extension = PLAIN } = options;
  const player = new Player(await loadScripts(options.scriptsDir), extension, options.delayMs ?? 0);
  const counters = new Counters();
  const app = fastify({
    // Long conversations are one request.
    bodyLimit: 256 * 1024 * 1024,
    // Any name may come in a message.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    // Requests that wait must not hold `stop`.
    forceCloseConnections: true,
  });
  addControls(app, player, counters);
  extension.extend(app);
  addEndpoints(app, extension.dialects, player, counters);
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
  return { url: `http://127.0.0.1:${port}/v1`, port, stop: () => app.close() };
}

/** What people and tests watch and steer the model with. */
function addControls(app: FastifyInstance, player: Player, counters: Counters): void {
  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(ABOUT));
  app.get('/counters', () => counters.toJSON());
  app.post('/counters/reset', () => {
    counters.reset();
    return counters.toJSON();
  });
  app.post('/delay', (request) => {
    const { ms } = z.strictObject({ ms: z.number().int().nonnegative() }).parse(request.body);
    player.delayMs = ms;
    return { ms };
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const wrong = error instanceof z.ZodError ? z.prettifyError(error) : undefined;
    const status = wrong === undefined ? (error.statusCode ?? 500) : 400;
    const message =
      status === 500 ? `The scripted model failed: ${error.stack}` : (wrong ?? error.message);
    return reply.code(status).send(openAiErrorBody(invalid(message, { status })));
  });
}
