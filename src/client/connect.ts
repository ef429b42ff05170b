import { once } from 'node:events';
import net from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { defined } from '../contract/defined.ts';
import { connectionProblem } from './connection-problem.ts';
import { loadPlugins, type WithPlugins } from './plugins.ts';
import { proxyFor, splitAddress, withPort, type Proxy } from './proxy.ts';
import { retryAndTellLimits } from './tell-limits.ts';
import { readTemporalConfig } from './temporal-config.ts';
import { isLoopback } from './temporal-errors.ts';

/**
 * Connects to the server that Temporal's environment configuration names (`TEMPORAL_ADDRESS`,
 * `TEMPORAL_NAMESPACE`, `TEMPORAL_PROFILE` …), or else to the dev stack's; through the proxy that
 * `HTTPS_PROXY` names. A namespace that does not exist shows with the first request to it.
 *
 * @param options.attempts of each request to a server that refuses it; default: those of Temporal's
 *   client, ten in about 20 s
 * @param options.extras whose plugins the client has; default: the process's
 * @throws {AgentOnceError} `temporal.unreachable`, `temporal.failed`, `config.invalid`
 */
export async function connect(
  options: { connectTimeoutMs?: number; attempts?: number; extras?: WithPlugins | undefined } = {},
): Promise<{ temporal: Client; close(): Promise<void> }> {
  const plugins = await loadPlugins(options.extras);
  const config = readTemporalConfig();
  const { address, namespace, connectionOptions } = config;
  const { tls = null, apiKey, metadata } = connectionOptions;
  const proxy = proxyFor(address);
  const connection = Connection.lazy({
    address: proxy?.address ?? address,
    tls,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    ...defined({ apiKey, metadata }),
    channelArgs: {
      // It would look for a server that was away for long every two minutes.
      'grpc.max_reconnect_backoff_ms': 5_000,
      // By a rule of its own.
      'grpc.enable_http_proxy': 0,
      ...(proxy ? throughProxy(withPort(address), proxy) : {}),
    },
    interceptors: [retryAndTellLimits(options.attempts)],
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
    temporal: new Client({ connection, namespace, plugins }),
    close: () => connection.close(),
  };
}

/** What grpc-js sets itself where it finds a proxy. */
function throughProxy(target: string, { credentials }: Proxy): Record<string, string> {
  const creds = credentials && `${credentials.username}:${credentials.password}`;
  return {
    'grpc.http_connect_target': `dns:${target}`,
    'grpc.default_authority': target,
    ...(creds === undefined ? {} : { 'grpc.http_connect_creds': creds }),
  };
}

/** gRPC tries again until its time is up; on this machine a refused connection is an answer. */
async function assertListening(address: string): Promise<void> {
  const { host, port } = splitAddress(address);
  const socket = net.connect(Number(port), host);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
