import { once } from 'node:events';
import net from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { connectionProblem } from './connection-problem.ts';
import { proxyFor, withPort, type Proxy } from './proxy.ts';
import { retryAndTellLimits } from './tell-limits.ts';
import { readTemporalConfig } from './temporal-config.ts';
import { isLoopback } from './temporal-errors.ts';

export interface TemporalConnection {
  temporal: Client;
  close(): Promise<void>;
}

/**
 * Connects to the server that Temporal's environment configuration names (`TEMPORAL_ADDRESS`,
 * `TEMPORAL_NAMESPACE`, `TEMPORAL_PROFILE` …), or else to the dev stack's; through the proxy that
 * `HTTPS_PROXY` names.
 *
 * @throws {AgentOnceError} `temporal.unreachable`, `temporal.failed`, `config.invalid`. A namespace
 *   that does not exist shows with the first request to it.
 *
 * @param options.attempts of each request to a server that refuses it; default: those of Temporal's
 *   client, ten in about 20 s
 */
export async function connect(
  options: { connectTimeoutMs?: number; attempts?: number } = {},
): Promise<TemporalConnection> {
  const config = readTemporalConfig();
  const { address, namespace, connectionOptions } = config;
  const proxy = proxyFor(address);
  const connection = Connection.lazy({
    address: proxy?.address ?? address,
    tls: connectionOptions.tls ?? null,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    ...(connectionOptions.apiKey === undefined ? {} : { apiKey: connectionOptions.apiKey }),
    ...(connectionOptions.metadata === undefined ? {} : { metadata: connectionOptions.metadata }),
    channelArgs: {
      // It would look for a server that was away for long every two minutes.
      'grpc.max_reconnect_backoff_ms': 5_000,
      // By a rule of its own.
      'grpc.enable_http_proxy': 0,
      ...(proxy ? throughProxy(address, proxy) : {}),
    },
    interceptors: [
      retryAndTellLimits(options.attempts === undefined ? {} : { maxAttempts: options.attempts }),
    ],
  });
  try {
    if (isLoopback(address)) await assertListening(address);
    await connection.ensureConnected();
  } catch (error) {
    // Or a half-open connection would keep the process alive.
    await connection.close();
    throw await connectionProblem(error, config);
  }
  return {
    temporal: new Client({ connection, namespace }),
    close: () => connection.close(),
  };
}

/** What grpc-js sets itself where it finds a proxy. */
function throughProxy(address: string, { credentials }: Proxy): Record<string, string> {
  const target = withPort(address);
  return {
    'grpc.http_connect_target': `dns:${target}`,
    'grpc.default_authority': target,
    ...(credentials
      ? { 'grpc.http_connect_creds': `${credentials.username}:${credentials.password}` }
      : {}),
  };
}

/** gRPC tries again until its time is up; on this machine a refused connection is an answer. */
async function assertListening(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = net.connect(Number(port || 7233), hostname.replace(/^\[|\]$/g, ''));
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
