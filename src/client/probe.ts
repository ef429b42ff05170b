import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { connectionFailure, type ConnectionFailure } from '../contract/connection-failure.ts';
import type { TemporalConfig } from './temporal-config.ts';

type Tls = TemporalConfig['connectionOptions']['tls'];

const TIMEOUT_MS = 3_000;
const DEFAULT_PORT = 7233;
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
 * Connects as gRPC does, and finds out what keeps it from that: gRPC itself says only that it did
 * not connect. Sends no key. `undefined`: nothing was found.
 *
 * @param address `host:port`
 */
export async function probe(address: string, options: Tls): Promise<ConnectionFailure | undefined> {
  const target = targetOf(address);
  try {
    const first = await firstBytes(target, options ? tlsOptions(target, options) : undefined);
    if (first === undefined) return SILENT;
    if (first.length >= 4 && first[3] === SETTINGS) return undefined;
  } catch (error) {
    const failure = connectionFailure(error);
    if (options || failure?.kind !== 'lost') return failure;
  }
  // A server with TLS answers others with an alert, with HTTP/1.1, or hangs up.
  return !options && (await speaksTls(target)) ? WANTS_TLS : NO_GRPC;
}

function targetOf(address: string): { host: string; port: number } {
  const [, host = address, port] = /^(.*?)(?::(\d+))?$/.exec(address) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port ?? DEFAULT_PORT) };
}

function tlsOptions({ host }: { host: string }, options: Tls): tls.ConnectionOptions {
  const given = typeof options === 'object' && options !== null ? options : {};
  const { serverNameOverride, serverRootCACertificate: ca, clientCertPair: pair } = given;
  const name = serverNameOverride ?? host;
  return {
    ...(net.isIP(name) === 0 ? { servername: name } : { host: name }),
    ...(ca ? { ca: Buffer.from(ca) } : {}),
    ...(pair ? { cert: Buffer.from(pair.crt), key: Buffer.from(pair.key) } : {}),
    ALPNProtocols: ['h2'],
  };
}

/** What the server says first; `undefined`: nothing, for as long as is waited. */
async function firstBytes(
  target: { host: string; port: number },
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

async function speaksTls(target: { host: string; port: number }): Promise<boolean> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const socket = tls.connect({ ...target, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal });
    return true;
  } catch (error) {
    return connectionFailure(error)?.kind === 'client-certificate';
  } finally {
    socket.on('error', () => {}).destroy();
  }
}
