import { Client, Connection } from '@temporalio/client';
import { readTemporalConfig } from './temporal-config.ts';
import { asAgentOnceError } from './temporal-errors.ts';

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
 */
export async function connect(
  options: { connectTimeoutMs?: number } = {},
): Promise<TemporalConnection> {
  const { address, namespace, connectionOptions } = readTemporalConfig();
  try {
    const connection = await Connection.connect({
      address,
      tls: connectionOptions.tls ?? null,
      connectTimeout: options.connectTimeoutMs ?? 5_000,
      ...(connectionOptions.apiKey === undefined ? {} : { apiKey: connectionOptions.apiKey }),
      ...(connectionOptions.metadata === undefined ? {} : { metadata: connectionOptions.metadata }),
      // grpc-js takes proxies from the environment, for a server on this machine too.
      ...(isLoopback(address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
    });
    const temporal = new Client({ connection, namespace });
    return { temporal, close: () => connection.close() };
  } catch (error) {
    throw asAgentOnceError(error, { address, namespace });
  }
}

function isLoopback(address: string): boolean {
  return /^(127\.|localhost:|\[::1\])/.test(address);
}
