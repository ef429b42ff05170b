import { isGrpcServiceError, NamespaceNotFoundError, type Client } from '@temporalio/client';
import { connectionFailure, type ConnectionFailure } from '../contract/connection-failure.ts';
import { AgentOnceError, type ErrorCode } from '../contract/errors.ts';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';
import { redact } from '../contract/redact.ts';

/** Status codes of gRPC. */
export const GRPC = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

/** Statuses that do not say that nothing was done: a limit may have met a second try. */
const UNCERTAIN = new Set([
  GRPC.CANCELLED,
  GRPC.UNKNOWN,
  GRPC.RESOURCE_EXHAUSTED,
  GRPC.ABORTED,
  GRPC.INTERNAL,
]);

/** Which server is meant. */
interface Target {
  address: string;
  namespace: string;
}

/** Turns what Temporal's client throws into an error for people. */
export function asAgentOnceError(error: unknown, client: Client | Target): AgentOnceError {
  if (error instanceof AgentOnceError) return error;
  const { address, namespace } = 'namespace' in client ? client : targetOf(client);
  const status = grpcStatusOf(error);
  const said = status?.details ?? (error instanceof Error ? error.message : String(error));
  const problem = (code: ErrorCode, message: string) =>
    new AgentOnceError(code, message, { cause: error });

  const noNamespace = status?.code === GRPC.NOT_FOUND && /namespace/i.test(said);
  if (noNamespace || error instanceof NamespaceNotFoundError) {
    return problem(
      'temporal.namespace_not_found',
      `Temporal at ${address} has no namespace "${namespace}". Set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create --namespace ${namespace}`,
    );
  }
  if (isUnreachable(error)) return unreachable(address, failureIn(status), error);
  if (status?.code === GRPC.PERMISSION_DENIED || status?.code === GRPC.UNAUTHENTICATED) {
    return problem(
      'temporal.failed',
      `Temporal at ${address} refused these credentials for namespace "${namespace}". Check TEMPORAL_API_KEY or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH), and TEMPORAL_NAMESPACE.`,
    );
  }
  if (status?.code === GRPC.RESOURCE_EXHAUSTED) {
    return problem(
      'temporal.limited',
      `Temporal at ${address} limits the requests of namespace "${namespace}" (${redact(said).slice(0, 200)}), and has refused this one. Repeat it later, send fewer at once, or have the limit raised.`,
    );
  }
  if (status?.code === GRPC.INVALID_ARGUMENT && /search attribute/i.test(said)) {
    const wanted = Object.entries(SEARCH_ATTRIBUTES).map(
      ([name, type]) => `--name ${name} --type ${type}`,
    );
    return problem(
      'temporal.search_attributes_missing',
      `Namespace "${namespace}" lacks the search attributes that runs carry. Register them: temporal operator search-attribute create --namespace ${namespace} ${wanted.join(' ')}\nOr run without them: AGENT_ONCE_SEARCH_ATTRIBUTES=off, for workers and callers alike.`,
    );
  }
  return problem(
    'temporal.failed',
    `Temporal at ${address}, namespace "${namespace}", refused the request: ${redact(said).slice(0, 500)}`,
  );
}

/** What to set, by what the server does not like of the connection. */
const CANNOT_BE_USED: Partial<Record<ConnectionFailure['kind'], string>> = {
  certificate:
    'Name the file of its CA with TEMPORAL_TLS_SERVER_CA_CERT_PATH, or the name in its certificate with TEMPORAL_TLS_SERVER_NAME.',
  'client-certificate':
    'Name the files of TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH.',
  tls: 'Set TEMPORAL_TLS to true, or to false for a server without it.',
};
const CHECK: Partial<Record<ConnectionFailure['kind'], string>> = {
  name: 'Correct TEMPORAL_ADDRESS.',
  limit: 'Close what holds so many, or raise the limit of this machine.',
};

/** @param failure what was seen of it; `undefined`: only that no answer came */
export function unreachable(
  address: string,
  failure: ConnectionFailure | undefined,
  cause: unknown,
): AgentOnceError {
  const seen = failure ? `: ${failure.says} (${failure.code})` : '';
  const setting = failure && CANNOT_BE_USED[failure.kind];
  if (setting !== undefined) {
    const message = `Temporal at ${address} cannot be used${seen}. ${setting}`;
    return new AgentOnceError('temporal.failed', message, { cause });
  }
  const otherwise = isLoopback(address)
    ? 'Start one with `agent-once dev`, or set TEMPORAL_ADDRESS.'
    : 'Check TEMPORAL_ADDRESS and the network.';
  const advice = (failure && CHECK[failure.kind]) ?? otherwise;
  const message = `No Temporal server answers at ${address}${seen}. ${advice}`;
  return new AgentOnceError('temporal.unreachable', message, { cause });
}

export function isLoopback(address: string): boolean {
  return /^(127\.\d|localhost(:|$)|\[::1\])/.test(address);
}

/** gRPC tells in words what its connection met. */
function failureIn(status: GrpcStatus | undefined): ConnectionFailure | undefined {
  if (status?.code === GRPC.DEADLINE_EXCEEDED) {
    return { kind: 'timeout', code: 'DEADLINE_EXCEEDED', says: 'it did not answer in time' };
  }
  const details = status?.details ?? '';
  if (/name resolution failed/i.test(details)) return connectionFailure({ code: 'ENOTFOUND' });
  const [code] = /\bE[A-Z]{4,}\b/.exec(details) ?? [];
  return connectionFailure({ code });
}

/**
 * Whether a request may have taken effect although its answer says nothing of that: a connection
 * that broke is reported in many ways.
 */
export function mayHaveArrived(error: unknown): boolean {
  const status = grpcStatusOf(error);
  return isUnreachable(error) || (status !== undefined && UNCERTAIN.has(status.code));
}

/** Whether no answer came back. */
export function isUnreachable(error: unknown): boolean {
  const status = grpcStatusOf(error);
  if (status) return status.code === GRPC.UNAVAILABLE || status.code === GRPC.DEADLINE_EXCEEDED;
  // A plain Error, when no connection could be made.
  return error instanceof Error && /failed to connect before the deadline/i.test(error.message);
}

export function targetOf(client: Client): Target {
  // Only the interface of a connection is typed; the pure JS one keeps its options.
  const { options } = client.connection as {
    options?: { address?: string; channelArgs?: Record<string, unknown> };
  };
  // Through a proxy, its address is the proxy's.
  const behind = options?.channelArgs?.['grpc.http_connect_target'];
  const address = typeof behind === 'string' ? behind.replace(/^dns:/, '') : options?.address;
  return { address: address ?? 'its address', namespace: client.options.namespace };
}

interface GrpcStatus {
  code: number;
  details: string;
}

function grpcStatusOf(error: unknown): GrpcStatus | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return at;
  }
  return undefined;
}
