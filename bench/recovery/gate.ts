import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const KINDS = ['model', 'tool'] as const;
export type Kind = (typeof KINDS)[number];

/** A request that has come to the gate. */
export interface Call {
  worker: string;
  /** By `performance.now()`. */
  at: number;
}

interface Expected {
  kind: Kind;
  /** It is never answered. */
  hold: boolean;
  came(call: Call): void;
}

/** What workers ask in the place of the model and of the other side of tools. */
export interface Gate {
  /** Settings of a worker that goes through the gate. */
  env(worker: string): NodeJS.ProcessEnv;
  /** The next request of a kind; with `hold` it gets no answer. */
  next(kind: Kind, hold?: boolean): Promise<Call>;
  stop(): Promise<void>;
}

/**
 * Stands between workers and what they ask: says which of them asked, and when, and can leave a request
 * without an answer. Everything else is passed on.
 */
export async function startGate(targets: Record<Kind, string>): Promise<Gate> {
  const expected: Expected[] = [];
  const server = createServer((request, response) => {
    const at = performance.now();
    const { worker, kind, rest } = readPath(request.url ?? '');
    const found = expected.findIndex((each) => each.kind === kind);
    const [waiting] = found < 0 ? [] : expected.splice(found, 1);
    waiting?.came({ worker, at });
    if (waiting?.hold) return;
    passOn(new URL(rest, targets[kind]), request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: (worker) => ({
      OPENAI_BASE_URL: `${url}/${worker}/model/v1`,
      BENCH_COUNTER_URL: `${url}/${worker}/tool`,
    }),
    next: (kind, hold = false) => new Promise((came) => void expected.push({ kind, hold, came })),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `/worker-1/model/v1/chat/completions`: who asks, what, and the path there. */
export function readPath(url: string): { worker: string; kind: Kind; rest: string } {
  const [, worker, name, rest] = /^\/([^/]+)\/([^/]+)(\/.*)$/.exec(url) ?? [];
  const kind = KINDS.find((each) => each === name);
  if (worker === undefined || kind === undefined || rest === undefined) {
    throw new Error(`Nobody asks for ${url}`);
  }
  return { worker, kind, rest };
}

async function passOn(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await request.toArray();
  const { method = 'GET', headers } = request;
  const answer = await fetch(url, {
    method,
    headers: Object.fromEntries(
      ['content-type', 'authorization', 'idempotency-key'].flatMap((name) =>
        headers[name] === undefined ? [] : [[name, String(headers[name])]],
      ),
    ),
    body: Buffer.concat(body as Buffer[]),
  });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  response.end(Buffer.from(await answer.arrayBuffer()));
}
