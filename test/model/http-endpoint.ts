import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** A real endpoint for cases that no model plays: it answers what the test hands in. */
export async function startEndpoint() {
  const received: Received[] = [];
  let answer: (response: ServerResponse, request: Received) => void = (response) => response.end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
      const one = { url: request.url, headers: request.headers, body };
      received.push(one);
      answer(response, one);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    received,
    /** Answers every request from now on. */
    answer: (play: typeof answer) => {
      answer = play;
    },
    /** Answers with a status, JSON or text, and headers. */
    reply: (status: number, body: unknown, headers: Record<string, string> = {}) => {
      answer = (response) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        const type = typeof body === 'string' ? 'text/html' : 'application/json';
        response.writeHead(status, { 'content-type': type, ...headers }).end(text);
      };
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Endpoint = Awaited<ReturnType<typeof startEndpoint>>;
