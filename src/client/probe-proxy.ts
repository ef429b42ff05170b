import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { connectionFailure } from '../contract/connection-failure.ts';
import { withPort, type Proxy } from './proxy.ts';

const TIMEOUT_MS = 3_000;

/** What keeps a proxy from leading to a server. */
export interface ProxyFailure {
  /** Half a sentence about the proxy, with a code. */
  says: string;
  advice: string;
}

/**
 * Asks a proxy for a connection as gRPC does, which itself says only that it did not connect.
 * `undefined`: the proxy gave one.
 *
 * @param address of the server, `host:port`
 */
export async function probeProxy(
  address: string,
  { address: proxy, credentials }: Proxy,
): Promise<ProxyFailure | undefined> {
  const { hostname, port } = new URL(`http://${proxy}`);
  const target = withPort(address);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const request = http.request({
    method: 'CONNECT',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 80),
    path: target,
    headers: { host: target, ...authorization(credentials) },
    agent: false,
  });
  try {
    const answered = once(request, 'connect', { signal });
    request.end();
    const [{ statusCode = 0 }, socket] = (await answered) as [http.IncomingMessage, Socket];
    socket.on('error', () => {}).destroy();
    return ofStatus(statusCode);
  } catch (error) {
    const failure = signal.aborted
      ? { says: 'it did not answer in time', code: 'ETIMEDOUT' }
      : connectionFailure(error);
    const says = failure ? `${failure.says} (${failure.code})` : 'what it answers is no HTTP';
    return { says, advice: 'Correct HTTPS_PROXY, or name the server in NO_PROXY.' };
  } finally {
    request.on('error', () => {}).destroy();
  }
}

function authorization(credentials: Proxy['credentials']): Record<string, string> {
  if (credentials === undefined) return {};
  const { username, password } = credentials;
  const encoded = Buffer.from(`${username}:${password}`).toString('base64');
  return { 'proxy-authorization': `Basic ${encoded}` };
}

function ofStatus(status: number): ProxyFailure | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 407) {
    return {
      says: 'it wants a user and a password, or others (407)',
      advice: 'Correct those in HTTPS_PROXY.',
    };
  }
  return {
    says: `it makes no connection to the server (${status})`,
    advice: 'Have the proxy allow it, correct TEMPORAL_ADDRESS, or name the server in NO_PROXY.',
  };
}
