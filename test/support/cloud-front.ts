import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { serverTls, type Certificates } from './certificates.ts';

/** What stands before a Temporal server, and answers as the endpoint of Temporal Cloud does. */
export interface CloudFront {
  /** `localhost:41233`, with TLS. */
  address: string;
  /** How often each method was let through. */
  passed: Map<string, number>;
  /** The methods that it refused, each with the reason. */
  refused: Set<string>;
  stop(): Promise<void>;
}

const UNAUTHENTICATED = 16;
const PERMISSION_DENIED = 7;
/** Names no namespace. */
const WITHOUT_NAMESPACE = /\/(?:GetSystemInfo|Check)$/;

/**
 * Lets through what has the API key, and names one of the namespaces in the header by which the cloud
 * finds it. It has no operator service.
 *
 * @param server `127.0.0.1:7233`
 */
export async function startCloudFront(
  server: string,
  certificates: Certificates,
  { apiKey, namespaces }: { apiKey: string; namespaces: readonly string[] },
): Promise<CloudFront> {
  const passed = new Map<string, number>();
  const refused = new Set<string>();
  const upstream = http2.connect(`http://${server}`);
  upstream.on('error', () => {});
  const sessions = new Set<http2.ServerHttp2Session>();
  const front = http2.createSecureServer(await serverTls(certificates));
  front.on('session', (session) => sessions.add(session).size);
  front.on('sessionError', () => {});
  front.on('stream', (stream, headers) => {
    const method = String(headers[':path']);
    stream.on('error', () => {});
    const problem = problemOf(method, headers);
    if (problem !== undefined) {
      const [status, message] = problem;
      refused.add(`${method}: ${message}`);
      const answer = { 'grpc-status': String(status), 'grpc-message': message };
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', ...answer },
        { endStream: true },
      );
      return;
    }
    passed.set(method, (passed.get(method) ?? 0) + 1);
    pass(stream, headers);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    address: `localhost:${(front.address() as AddressInfo).port}`,
    passed,
    refused,
    async stop() {
      for (const session of sessions) session.destroy();
      upstream.destroy();
      front.close();
      await once(front, 'close');
    },
  };

  function problemOf(
    method: string,
    headers: http2.IncomingHttpHeaders,
  ): [status: number, message: string] | undefined {
    if (headers.authorization !== `Bearer ${apiKey}`) return [UNAUTHENTICATED, 'wrong API key'];
    if (method.includes('.OperatorService/')) return [PERMISSION_DENIED, 'no operator service'];
    if (WITHOUT_NAMESPACE.test(method)) return undefined;
    const named = String(headers['temporal-namespace']);
    if (!namespaces.includes(named)) return [PERMISSION_DENIED, `no namespace ${named}`];
    return undefined;
  }

  function pass(
    stream: http2.ServerHttp2Stream,
    { ':authority': _authority, ':scheme': _scheme, ...headers }: http2.IncomingHttpHeaders,
  ): void {
    const request = upstream.request(headers);
    stream.pipe(request);
    stream.on('close', () => request.close(http2.constants.NGHTTP2_CANCEL));
    request.on('error', () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    let trailers: http2.IncomingHttpHeaders = {};
    request.on('trailers', (last) => (trailers = last));
    stream.on('wantTrailers', () => stream.sendTrailers(withoutPseudo(trailers)));
    request.on('response', (answer, flags) => {
      const ends = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(
        { ':status': 200, ...withoutPseudo(answer) },
        ends ? { endStream: true } : { waitForTrailers: true },
      );
      if (!ends) request.pipe(stream);
    });
  }
}

function withoutPseudo(headers: http2.IncomingHttpHeaders): http2.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
