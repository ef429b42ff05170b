import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AgentOnceError } from '../../contract/errors.ts';
import { Chat } from './chat.ts';
import { FaultQueue, faultOrder } from './fault.ts';
import { loadScripts } from './load-scripts.ts';

const ABOUT = `This is agent-once's scripted model: it speaks the chat-completions format of OpenAI,
but plays a script. No language model is behind it, and nothing leaves this machine.

POST /v1/chat/completions   the answer, with "stream": true as server-sent events
GET  /v1/models             the one model there is; any name is accepted
GET  /counters              {"requests":n,"byToken":{"<Idempotency-Key>":n}}
POST /counters/reset
GET  /faults                what will go wrong
POST /faults                {"faults":[{"kind":"status","status":500}],"match":"text"}: one per request
DELETE /faults
POST /delay                 {"ms":n}: every answer waits
`;

export interface ScriptedModelOptions {
  /** 0 (default): any free one. */
  port?: number;
  /** Folder of script modules; default `examples/scripted-model`. */
  scriptsDir?: string;
  /** Every answer waits this long; default 0. */
  delayMs?: number;
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
  const faults = new FaultQueue();
  const chat = new Chat(await loadScripts(options.scriptsDir), faults, options.delayMs ?? 0);
  const app = buildApp(chat, faults);
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

function buildApp(chat: Chat, faults: FaultQueue): FastifyInstance {
  // Long conversations are one request: the body may be large. Hanging requests must not hold stop().
  const app = fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true });

  app.post('/v1/chat/completions', async (request, reply) => {
    reply.hijack();
    await chat.answer(request.body, request.headers, reply.raw);
  });
  app.get('/v1/models', () => ({
    object: 'list',
    data: [{ id: 'scripted', object: 'model', created: 0, owned_by: 'agent-once' }],
  }));

  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(ABOUT));
  app.get('/counters', () => chat.counters);
  app.post('/counters/reset', () => {
    chat.resetCounters();
    return chat.counters;
  });

  app.get('/faults', () => ({ faults: faults.list() }));
  app.post('/faults', (request) => {
    faults.add(faultOrder.parse(request.body));
    return { faults: faults.list() };
  });
  app.delete('/faults', () => {
    faults.clear();
    return { faults: [] };
  });
  app.post('/delay', (request) => {
    const { ms } = z.strictObject({ ms: z.number().int().nonnegative() }).parse(request.body);
    chat.delayMs = ms;
    return { ms };
  });

  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof z.ZodError) {
      return reply.code(400).send({ error: { message: z.prettifyError(error) } });
    }
    const { statusCode = 500, message } = error as Error & { statusCode?: number };
    return reply.code(statusCode).send({ error: { message } });
  });
  return app;
}
