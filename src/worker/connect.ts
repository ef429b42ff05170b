import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { proxyFor, type Proxy } from '../client/proxy.ts';
import { readTemporalConfig } from '../client/temporal-config.ts';
import { AgentOnceError } from '../contract/errors.ts';

export interface WorkerConnection {
  connection: NativeConnection;
  namespace: string;
  /** Of the namespace itself: another one of the same name has another. */
  namespaceId: string;
  address: string;
  /** How long the namespace keeps closed runs, in milliseconds. */
  retentionMs: number;
}

/**
 * Connects a worker by Temporal's own environment configuration; by default to 127.0.0.1:7233,
 * where `agent-once dev` runs. Through the same proxy as clients: Temporal's core knows none by itself.
 *
 * @throws {AgentOnceError} `temporal.unreachable`, `temporal.namespace_not_found`,
 *   `config.invalid`
 */
export async function connectWorker(): Promise<WorkerConnection> {
  const { address, namespace, connectionOptions } = readTemporalConfig();
  const proxy = proxyFor(address);
  let connection: NativeConnection;
  try {
    connection = await NativeConnection.connect({
      ...connectionOptions,
      address,
      ...(proxy ? { proxy: forCore(proxy) } : {}),
    });
  } catch (error) {
    throw new AgentOnceError(
      'temporal.unreachable',
      `No Temporal server answers at ${address}. Start one with "agent-once dev", or set TEMPORAL_ADDRESS.`,
      { cause: error },
    );
  }
  try {
    const { config, namespaceInfo } = await connection.workflowService.describeNamespace({
      namespace,
    });
    const retentionMs = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
    const namespaceId = namespaceInfo?.id || `${namespace} at ${address}`;
    return { connection, namespace, namespaceId, address, retentionMs };
  } catch (error) {
    await connection.close();
    throw new AgentOnceError(
      'temporal.namespace_not_found',
      `The Temporal server at ${address} has no namespace "${namespace}", or does not let this worker see it. Create it, or set TEMPORAL_NAMESPACE.`,
      { cause: error },
    );
  }
}

function forCore({ address, credentials }: Proxy): NonNullable<NativeConnectionOptions['proxy']> {
  return {
    type: 'http-connect',
    targetHost: address,
    ...(credentials ? { basicAuth: credentials } : {}),
  };
}
