import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import type { ClientPlugin } from '@temporalio/client';
import { connectionProblem } from '../client/connection-problem.ts';
import { loadPlugins } from '../client/plugins.ts';
import { proxyFor, type Proxy } from '../client/proxy.ts';
import { readTemporalConfig, type TemporalConfig } from '../client/temporal-config.ts';
import { asAgentOnceError } from '../client/temporal-errors.ts';
import { defined } from '../contract/defined.ts';

export interface WorkerConnection {
  connection: NativeConnection;
  namespace: string;
  /** Of the namespace itself: another one of the same name has another. */
  namespaceId: string;
  address: string;
  /** How long the namespace keeps closed runs, in milliseconds. */
  retentionMs: number;
  /** Whether the server tells workers of cancellations, without being asked (Temporal 1.32). */
  pushesCancellations: boolean;
  /** Of the extras, for workers and clients on this connection. */
  plugins: ClientPlugin[];
}

/** The connection itself would wait for ever for a server that accepts it and says nothing. */
const TIMEOUT_MS = 10_000;

/** In its errors, the native connection has gRPC's statuses in words alone. */
const STATUSES: readonly [says: RegExp, code: number][] = [
  [/does not have permission/, 7],
  [/valid authentication credentials/, 16],
  [/resource has been exhausted/, 8],
];

/**
 * Connects a worker by Temporal's own environment configuration; by default to 127.0.0.1:7233,
 * where `agent-once dev` runs. Through the same proxy as clients: Temporal's core knows none by itself.
 *
 * @throws {AgentOnceError} `temporal.unreachable`, `temporal.namespace_not_found`,
 *   `temporal.failed`, `config.invalid`
 */
export async function connectWorker(): Promise<WorkerConnection> {
  const plugins = await loadPlugins();
  const config = readTemporalConfig();
  const { address, namespace } = config;
  const connection = await connectInTime(config);
  try {
    const { config, namespaceInfo } = await connection.workflowService.describeNamespace({
      namespace,
    });
    const retentionMs = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
    const namespaceId = namespaceInfo?.id || `${namespace} at ${address}`;
    const pushesCancellations = namespaceInfo?.capabilities?.workerCommands === true;
    const limits = { retentionMs, pushesCancellations };
    return { connection, namespace, namespaceId, address, ...limits, plugins };
  } catch (error) {
    await connection.close();
    throw asAgentOnceError(error, { address, namespace });
  }
}

async function connectInTime(config: TemporalConfig): Promise<NativeConnection> {
  const { address, connectionOptions } = config;
  const proxy = proxyFor(address);
  const connecting = NativeConnection.connect({
    ...connectionOptions,
    address,
    ...defined({ proxy: proxy && forCore(proxy) }),
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(statusError(4, 'No answer.')), TIMEOUT_MS);
  });
  try {
    return await Promise.race([connecting, late]);
  } catch (error) {
    // One that comes after all is not needed any more.
    connecting.then((connection) => connection.close()).catch(() => {});
    throw await connectionProblem(asStatus(error), config);
  } finally {
    clearTimeout(timer);
  }
}

/** The native connection's error as gRPC has it; what is no status is a connection not made. */
function asStatus(error: unknown): unknown {
  const { name, message } = error as { name?: unknown; message?: unknown };
  if (name !== 'TransportError') return error;
  const text = String(message);
  const details = /message: "(.*?)"/.exec(text)?.[1] ?? '';
  const [, code = 14] = STATUSES.find(([says]) => says.test(text)) ?? [];
  return statusError(code, details, error);
}

/** Of the form by which Temporal's client knows gRPC's errors. */
function statusError(code: number, details: string, cause?: unknown): Error {
  return Object.assign(new Error(details, { cause }), { code, details, metadata: {} });
}

function forCore({ address, credentials }: Proxy): NonNullable<NativeConnectionOptions['proxy']> {
  return { type: 'http-connect', targetHost: address, ...defined({ basicAuth: credentials }) };
}
