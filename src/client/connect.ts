import { once } from 'node:events';
import net from 'node:net';
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { connectionProblem } from './connection-problem.ts';
import { readTemporalConfig } from './temporal-config.ts';
import { isLoopback, RESOURCE_EXHAUSTED } from './temporal-errors.ts';

export interface TemporalConnection {
  temporal: Client;
  close(): Promise<void>;
}

/**
 * Connects to the server that Temporal's environment configuration names (`TEMPORAL_ADDRESS`,
 * `TEMPORAL_NAMESPACE`, `TEMPORAL_PROFILE` …), or else to the dev stack's.
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
  const retries = defaultGrpcRetryOptions(
    options.attempts === undefined ? {} : { maxAttempts: options.attempts },
  );
  // It is tried again until the time is over, and then the error says nothing of it.
  let limited: object | undefined;
  const connection = Connection.lazy({
    address,
    tls: connectionOptions.tls ?? null,
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    ...(connectionOptions.apiKey === undefined ? {} : { apiKey: connectionOptions.apiKey }),
    ...(connectionOptions.metadata === undefined ? {} : { metadata: connectionOptions.metadata }),
    channelArgs: {
      // It would look for a server that was away for long every two minutes.
      'grpc.max_reconnect_backoff_ms': 5_000,
      // grpc-js takes proxies from the environment, for a server on this machine too.
      ...(isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
    },
    interceptors: [
      makeGrpcRetryInterceptor({
        ...retries,
        retryableDecider: (attempt, status) => {
          if (status.code === RESOURCE_EXHAUSTED) limited = status;
          return retries.retryableDecider(attempt, status);
        },
      }),
    ],
  });
  try {
    if (isLoopback(address)) await assertListening(address);
    await connection.ensureConnected();
  } catch (error) {
    // Or a half-open connection would keep the process alive.
    await connection.close();
    throw await connectionProblem(limited ? Object.assign(new Error(), limited) : error, config);
  }
  return {
    temporal: new Client({ connection, namespace }),
    close: () => connection.close(),
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
