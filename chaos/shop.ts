import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Effect, Scenario } from './scenario.ts';

/** An effect that the shop really had. */
export interface ShopEffect extends Effect {
  id: number;
  /** `Idempotency-Key` of the request. */
  key: string;
  /** The worker process that sent the request; `null`: it did not say. */
  pid: number | null;
  /** Milliseconds since 1970. */
  at: number;
}

/** A tool that is about to act, in its worker. */
export interface Arrival extends Effect {
  pid: number;
}

/** The other side of the tools. Its records are what everything else is judged by. */
export interface Shop {
  url: string;
  effects: readonly ShopEffect[];
  /** Requests that had their effect and got no answer. */
  dropped(): number;
  /** Called before a tool is told to go on; returns nothing. */
  onArrival: (arrival: Arrival) => void;
  stop(): Promise<void>;
}

/** Of a hundred requests, as many have their effect, and then the connection breaks. */
const DROPPED_PERCENT = 5;
const SLOWEST_ANSWER_MS = 40;
/** Says which process a request comes from: see `sign-requests.ts`. */
export const PID_HEADER = 'x-worker-pid';
const ARRIVAL = /^\/arrivals\/([a-z_]+)\/([\w-]+)\/(\d+)$/;

/**
 * Starts the shop on 127.0.0.1. Each request has its effect at once, and each time; of a `keyed` tool
 * the same idempotency key has it once. A GET asks for an effect, but of a `read` tool it is one.
 *
 * @param classes of the tools
 */
export async function startShop(
  effectOf: Scenario['effectOf'],
  classes: Readonly<Record<string, string>>,
  random: Random,
): Promise<Shop> {
  const effects: ShopEffect[] = [];
  let dropped = 0;
  const latest = ({ tool, label }: Effect, key?: string): ShopEffect | undefined =>
    effects.findLast(
      (effect) =>
        effect.tool === tool && effect.label === label && (key === undefined || effect.key === key),
    );

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', headers } = request;
    const { pathname } = new URL(request.url ?? '/', 'http://shop');
    const body = await readJson(request);
    const [, tool, label, pid] = ARRIVAL.exec(pathname) ?? [];
    if (tool !== undefined && label !== undefined) {
      shop.onArrival({ tool, label, pid: Number(pid) });
      return send(response, 200, {});
    }
    const wanted = effectOf({ method, path: pathname, headers, body });
    if (wanted === undefined) return send(response, 404, { error: 'The shop knows no such thing' });
    const key = String(headers['idempotency-key'] ?? '');
    if (method === 'GET' && classes[wanted.tool] !== 'read') {
      // Whoever asks with a key asks for the effect of that very step.
      const found = latest(wanted, key === '' ? undefined : key);
      return found ? send(response, 200, receipt(found)) : send(response, 404, { error: 'None' });
    }

    let effect = classes[wanted.tool] === 'keyed' && key !== '' ? latest(wanted, key) : undefined;
    if (effect === undefined) {
      const pid = headers[PID_HEADER] === undefined ? null : Number(headers[PID_HEADER]);
      effect = { ...wanted, key, pid, id: effects.length + 1, at: Date.now() };
      effects.push(effect);
    }
    if (random.next() * 100 < DROPPED_PERCENT) {
      dropped += 1;
      request.socket.destroy();
      return;
    }
    await sleep(random.between(0, SLOWEST_ANSWER_MS));
    send(response, 200, receipt(effect));
  };

  const server = createServer((request, response) => {
    // A client that is killed in the middle of its request.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const shop: Shop = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    effects,
    dropped: () => dropped,
    onArrival: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return shop;
}

/** What a tool gets, and a person who looks it up. */
export function receipt({ id, tool, label }: ShopEffect): {
  id: number;
  tool: string;
  label: string;
} {
  return { id, tool, label };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
