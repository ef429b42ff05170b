import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from '../../src/client/connect.ts';
import { GRPC } from '../../src/client/temporal-errors.ts';
import { eventually } from '../support/eventually.ts';

/** A server that knows what it can do, and refuses the first `refused` requests; it holds all others. */
let server: http2.Http2Server;
let refused: number;
let requests: number;
let close: () => Promise<void>;
let temporal: Awaited<ReturnType<typeof connect>>['temporal'];

const environment = { ...process.env };
beforeEach(async () => {
  requests = 0;
  const sessions = new Set<http2.Http2Session>();
  server = http2.createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path']?.endsWith('/GetSystemInfo')) return answer(stream, 0, EMPTY);
    requests += 1;
    if (requests <= refused) answer(stream, GRPC.RESOURCE_EXHAUSTED);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  process.env['TEMPORAL_ADDRESS'] = `127.0.0.1:${port}`;
  const connected = await connect();
  temporal = connected.temporal;
  close = async () => {
    await connected.close();
    for (const session of sessions) session.destroy();
    server.close();
  };
});
afterEach(async () => {
  process.env = { ...environment };
  await close();
});

/** A gRPC message without any field. */
const EMPTY = Buffer.alloc(5);

function answer(stream: http2.ServerHttp2Stream, status: number, message?: Buffer): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
  stream.end(message);
}

/** Cancels a request when the server has got so many tries of it, and waits until it has ended. */
async function cancelAfter(tries: number): Promise<void> {
  const stop = new AbortController();
  const asking = temporal.withAbortSignal(stop.signal, () =>
    temporal.workflowService.countWorkflowExecutions({ namespace: 'default' }),
  );
  const ended = expect(asking).rejects.toMatchObject({ code: GRPC.CANCELLED });
  await eventually(() => expect(requests).toBe(tries));
  stop.abort();
  await ended;
}

test('a request that was refused and is cancelled before its next try sends none', async () => {
  refused = Number.POSITIVE_INFINITY;
  await cancelAfter(1);
  expect(requests).toBe(1);
});

test('one whose second try is under way ends when it is cancelled', async () => {
  refused = 1;
  await cancelAfter(2);
});
