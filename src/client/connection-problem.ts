import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { connectionFailure, type ConnectionFailure } from '../contract/connection-failure.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { proxyFor, splitAddress, withPort, type Proxy } from './proxy.ts';
import type { TemporalConfig } from './temporal-config.ts';
import { asAgentOnceError, isUnreachable, unreachable } from './temporal-errors.ts';

type Tls = TemporalConfig['connectionOptions']['tls'];

const TIMEOUT_MS = 3_000;
/** How a client of HTTP/2 begins, with settings that are empty: gRPC runs over it. */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
/** The type of a frame with settings, which is the first that a server sends. */
const SETTINGS = 4;

const WANTS_TLS: ConnectionFailure = {
  kind: 'tls',
  code: 'TLS_OFF',
  says: 'it wants TLS, which is off here',
};
const NO_GRPC: ConnectionFailure = {
  kind: 'lost',
  code: 'NO_GRPC',
  says: 'what listens there does not speak gRPC',
};
const SILENT: ConnectionFailure = {
  kind: 'timeout',
  code: 'ETIMEDOUT',
  says: 'it did not answer in time',
};

/**
 * What to tell a person of a connection that could not be made. gRPC itself says no more than that,
 * so the server is asked what is wrong, or the proxy to it.
 */
export async function connectionProblem(
  error: unknown,
  config: TemporalConfig,
): Promise<AgentOnceError> {
  const seen = connectionFailure(error);
  if (seen === undefined && !isUnreachable(error)) return asAgentOnceError(error, config);
  const { address, connectionOptions } = config;
  const proxy = proxyFor(address);
  // A proxy may see another server than this machine does: then nobody but the proxy is asked.
  const problem = proxy && (await probeProxy(address, proxy));
  if (proxy && problem !== undefined) {
    return new AgentOnceError(
      'temporal.unreachable',
      `No Temporal server answers at ${address} through the proxy of HTTPS_PROXY, ${proxy.address}: ${problem}`,
      { cause: error },
    );
  }
  const found = seen ?? (proxy ? undefined : await probe(address, connectionOptions.tls));
  return unreachable(address, found, error);
}

/** Connects as gRPC does, but sends no key. `undefined`: nothing was found. */
async function probe(address: string, options: Tls): Promise<ConnectionFailure | undefined> {
  const { host, port } = splitAddress(address);
  const target = { host, port: Number(port) };
  try {
    const first = await firstBytes(target, options ? tlsOptions(host, options) : undefined);
    if (first === undefined) return SILENT;
    if (first.length >= 4 && first[3] === SETTINGS) return undefined;
  } catch (error) {
    const failure = connectionFailure(error);
    if (options || failure?.kind !== 'lost') return failure;
  }
  // A server with TLS answers others with an alert, with HTTP/1.1, or hangs up.
  return !options && (await speaksTls(target)) ? WANTS_TLS : NO_GRPC;
}

function tlsOptions(host: string, options: NonNullable<Tls>): tls.ConnectionOptions {
  const given = typeof options === 'object' ? options : {};
  const { serverRootCACertificate: ca, clientCertPair: pair } = given;
  const name = given.serverNameOverride ?? host;
  return {
    ...(net.isIP(name) === 0 ? { servername: name } : { host: name }),
    ...(ca ? { ca: Buffer.from(ca) } : {}),
    ...(pair ? { cert: Buffer.from(pair.crt), key: Buffer.from(pair.key) } : {}),
    ALPNProtocols: ['h2'],
  };
}

/** What the server says first; `undefined`: nothing, for as long as is waited. */
async function firstBytes(
  target: net.TcpNetConnectOpts,
  options: tls.ConnectionOptions | undefined,
): Promise<Buffer | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const socket = options ? tls.connect({ ...target, ...options }) : net.connect(target);
  try {
    const closed = once(socket, 'close', { signal }).then(() => {
      throw Object.assign(new Error('The connection was closed.'), { code: 'ECONNRESET' });
    });
    closed.catch(() => {});
    await Promise.race([once(socket, options ? 'secureConnect' : 'connect', { signal }), closed]);
    socket.write(PREFACE);
    const [data] = await Promise.race([once(socket, 'data', { signal }), closed]);
    return data as Buffer;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

async function speaksTls(target: net.TcpNetConnectOpts): Promise<boolean> {
  const socket = tls.connect({ ...target, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return true;
  } catch (error) {
    return connectionFailure(error)?.kind === 'client-certificate';
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

/**
 * Asks a proxy for a connection as gRPC does. Returns what keeps it from leading to the server, and
 * what to do; `undefined`: it gave the connection.
 */
async function probeProxy(
  address: string,
  { address: proxy, credentials }: Proxy,
): Promise<string | undefined> {
  const { host, port } = splitAddress(proxy);
  const target = withPort(address);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const basic = credentials && `${credentials.username}:${credentials.password}`;
  const request = http.request({
    method: 'CONNECT',
    host,
    port: Number(port),
    path: target,
    headers: {
      host: target,
      ...(basic ? { 'proxy-authorization': `Basic ${Buffer.from(basic).toString('base64')}` } : {}),
    },
    agent: false,
  });
  try {
    const answered = once(request, 'connect', { signal });
    request.end();
    const [{ statusCode = 0 }, socket] = (await answered) as [http.IncomingMessage, net.Socket];
    socket.on('error', () => {}).destroy();
    if (statusCode >= 200 && statusCode < 300) return undefined;
    return statusCode === 407
      ? 'it wants a user and a password, or others (407). Correct those in HTTPS_PROXY.'
      : `it makes no connection to the server (${statusCode}). Have the proxy allow it, correct TEMPORAL_ADDRESS, or name the server in NO_PROXY.`;
  } catch (error) {
    const failure = signal.aborted ? SILENT : connectionFailure(error);
    const says = failure ? `${failure.says} (${failure.code})` : 'what it answers is no HTTP';
    return `${says}. Correct HTTPS_PROXY, or name the server in NO_PROXY.`;
  } finally {
    request.on('error', () => {}).destroy();
  }
}
