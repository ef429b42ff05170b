import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { openChat } from './chat/open-chat.ts';
import type { Counters } from './counters.ts';
import type { Dialect } from './dialects/dialect.ts';
import { createDialects } from './dialects/dialects.ts';
import { lenientDialect } from './dialects/lenient.ts';
import type { Opened } from './exchange.ts';
import { keyConflict } from './fault-bodies.ts';
import type { Gateway } from './gateway.ts';
import { bodyOf } from './json-body.ts';
import type { Player } from './player.ts';
import { sendProblem } from './player.ts';
import type { Problem } from './problem.ts';
import { invalid } from './problem.ts';
import type { RecentRequests } from './recent-requests.ts';
import { openResponses } from './responses/open-responses.ts';
import type { Sent } from './send.ts';
import { sendText } from './send.ts';

export interface Parts {
  player: Player;
  counters: Counters;
  requests: RecentRequests;
  gateway: Gateway;
}

/** The paths of the model: those of `/v1`, of every dialect, and the same behind the gateway. */
export function addEndpoints(app: FastifyInstance, parts: Parts): void {
  const dialects: [string, Dialect][] = [
    ['', lenientDialect()],
    ...createDialects().map(([name, dialect]): [string, Dialect] => [`/${name}`, dialect]),
  ];
  for (const [base, dialect] of dialects) {
    for (const prefix of ['', '/gateway']) {
      const add = (path: string, open: (body: unknown) => Opened) =>
        app.post(`${prefix}${base}/v1${path}`, async (request, reply) => {
          reply.hijack();
          const { raw, value } = bodyOf(request);
          const { url, headers } = request;
          const asked = { path: url, headers, raw, open: () => open(value) };
          await serve(parts, asked, dialect, reply.raw, prefix !== '');
        });
      add('/chat/completions', (body) => openChat(body, dialect));
      const { responses } = dialect;
      if (responses) add('/responses', (body) => openResponses(body, dialect, responses));
      app.get(`${prefix}${base}/v1/models`, () => MODELS);
    }
  }
}

function brokenModel(error: unknown): Problem {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return invalid(`The scripted model failed: ${what}`, { status: 500, type: 'server_error' });
}

const MODELS = {
  object: 'list',
  data: [{ id: 'scripted', object: 'model', created: 0, owned_by: 'agent-once' }],
};

interface Asked {
  path: string;
  headers: IncomingHttpHeaders;
  raw: Buffer;
  open(): Opened;
}

async function serve(
  { player, counters, requests, gateway }: Parts,
  { path, headers, raw, open }: Asked,
  dialect: Dialect,
  response: ServerResponse,
  throughGateway: boolean,
): Promise<void> {
  const key = headers['idempotency-key']?.toString();
  requests.add(path, headers, raw);
  const ask = async (): Promise<Sent | undefined> => {
    counters.countRequest(key);
    try {
      return await player.answer(open(), dialect, key, response);
    } catch (error) {
      // Nobody else answers a response that was taken from Fastify: the client would wait for ever.
      if (response.headersSent) throw error;
      return sendProblem(response, brokenModel(error), dialect.errorBody);
    }
  };
  if (key === undefined || !(throughGateway || gateway.always)) {
    await ask();
    return;
  }
  const earlier = await gateway.pass(key, raw, ask);
  if (earlier === 'conflict') {
    sendProblem(response, keyConflict(), dialect.errorBody);
  } else if (earlier) {
    counters.countReplay();
    const { status, text } = earlier;
    sendText(response, status, text, { ...earlier.headers, 'idempotent-replayed': 'true' });
  }
}
