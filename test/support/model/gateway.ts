import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { openAiErrorBody } from '../../../src/extras/dev/scripted-model/dialect.ts';
import { keyConflict } from './fault-bodies.ts';

export interface Gateway {
  /** What `OPENAI_BASE_URL` is set to. */
  url: string;
  /** Answers that it gave again. */
  replayed(): number;
  stop(): Promise<void>;
}

interface Answer {
  status: number;
  headers: [string, string][];
  body: Buffer;
}

interface Kept {
  bodyHash: string;
  /** `undefined`: no whole answer with status 200. */
  answer: Promise<Answer | undefined>;
}

const OF_CONNECTION =
  /^(?:accept-encoding|connection|content-length|date|expect|host|keep-alive|transfer-encoding)$/;

/**
 * A gateway before a model that honours `Idempotency-Key`: the first whole 200 answer is kept, and
 * given again to everybody who comes with the same key; another body under it is refused. Whether a
 * client can read that answer, it does not ask.
 *
 * @param model the model's `OPENAI_BASE_URL`
 */
export async function startGateway(model: string): Promise<Gateway> {
  const kept = new Map<string, Kept>();
  let replayed = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const key = request.headers['idempotency-key']?.toString();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const ask = () => forward(new URL(request.url ?? '', model), request, body, gone.signal);
    if (key === undefined) return send(response, await ask());

    const bodyHash = createHash('sha256').update(body).digest('hex');
    for (let earlier = kept.get(key); earlier; earlier = kept.get(key)) {
      if (earlier.bodyHash !== bodyHash) {
        const conflict = keyConflict();
        const text = JSON.stringify(openAiErrorBody(conflict));
        response.writeHead(conflict.status, { 'content-type': 'application/json' }).end(text);
        return;
      }
      const answer = await earlier.answer;
      if (answer) {
        replayed += 1;
        response.setHeader('idempotent-replayed', 'true');
        return send(response, answer);
      }
      // Another request may have begun while this one waited.
      if (kept.get(key) === earlier) kept.delete(key);
    }
    const asked = ask();
    kept.set(key, {
      bodyHash,
      answer: asked.then((sent) => (sent?.status === 200 ? sent : undefined)),
    });
    send(response, await asked);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${new URL(model).pathname}`,
    replayed: () => replayed,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** `undefined`: the answer broke off, or the client has gone. */
async function forward(
  url: URL,
  { headers, method = 'GET' }: IncomingMessage,
  body: Buffer,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, {
      method,
      headers: passedOn(Object.entries(headers)),
      signal,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    return {
      status: response.status,
      headers: passedOn([...response.headers]),
      body: Buffer.from(await response.arrayBuffer()),
    };
  } catch {
    return undefined;
  }
}

/** Headers without those of one connection. */
function passedOn(headers: [string, unknown][]): [string, string][] {
  return headers
    .filter(([name]) => !OF_CONNECTION.test(name))
    .map(([name, value]) => [name, String(value)]);
}

function send(response: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined) response.destroy();
  else response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(answer.body);
}
