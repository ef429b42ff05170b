import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CounterServer {
  url: string;
  /** Requests per name, duplicates included. */
  requests(name: string): number;
  /** Distinct idempotency keys per name: what a server that honours them would have done. */
  effects(name: string): number;
  /** From now on requests of this name are counted, and refused with 503. */
  fail(name: string): void;
  heal(name: string): void;
  /** The next request of this name is counted, and its connection cut without an answer. */
  drop(name: string): void;
  /** From now on requests of this name are counted, and answered only when they are let go. */
  hold(name: string): void;
  letGo(name: string): void;
  /** Requests of this name whose connection the client has cut while they were held. */
  abandoned(name: string): number;
  /** Cuts the connections of requests that are held; new ones are answered. */
  cutHeld(name: string): void;
  stop(): Promise<void>;
}

/** The other side of the test agents' tools: a real HTTP server that counts. */
export async function startCounterServer(): Promise<CounterServer> {
  const keys = new Map<string, string[]>();
  const failing = new Set<string>();
  const dropping = new Set<string>();
  const abandoned = new Map<string, number>();
  const held = new Map<string, { answer: () => void; cut: () => void }[]>();
  const server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? '').replace('/count/', ''));
    const key = String(request.headers['idempotency-key'] ?? '');
    if (request.method === 'GET') {
      const times = keys.get(name)?.filter((seen) => seen === key).length ?? 0;
      response.end(JSON.stringify({ times }));
      return;
    }
    keys.set(name, [...(keys.get(name) ?? []), key]);
    if (dropping.delete(name)) {
      request.socket.destroy();
      return;
    }
    if (failing.has(name)) response.statusCode = 503;
    response.setHeader('content-type', 'application/json');
    const answer = () => response.end(JSON.stringify({ name, requests: keys.get(name)?.length }));
    const waiting = held.get(name);
    response.on('close', () => {
      if (!response.writableEnded) abandoned.set(name, (abandoned.get(name) ?? 0) + 1);
    });
    if (waiting) waiting.push({ answer, cut: () => request.socket.destroy() });
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: (name) => keys.get(name)?.length ?? 0,
    effects: (name) => new Set(keys.get(name)).size,
    fail: (name) => void failing.add(name),
    drop: (name) => void dropping.add(name),
    hold: (name) => void held.set(name, []),
    letGo: (name) => {
      for (const { answer } of held.get(name) ?? []) answer();
      held.delete(name);
    },
    abandoned: (name) => abandoned.get(name) ?? 0,
    cutHeld: (name) => {
      for (const { cut } of held.get(name) ?? []) cut();
      held.delete(name);
    },
    heal: (name) => void failing.delete(name),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
