import { isGrpcServiceError, NamespaceNotFoundError, type Client } from '@temporalio/client';
import { connectionFailure, type ConnectionFailure } from '../contract/connection-failure.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';
import { redact } from '../contract/redact.ts';

/** Status codes of gRPC. */
const CANCELLED = 1;
const UNKNOWN = 2;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const ABORTED = 10;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const UNCERTAIN: ReadonlySet<number> = new Set([
  CANCELLED,
  UNKNOWN,
  // A limit that has outlasted the tries says nothing of the one before.
  RESOURCE_EXHAUSTED,
  ABORTED,
  INTERNAL,
]);

/** Which server is meant. */
export interface Target {
  address: string;
  namespace: string;
}

/** Turns what Temporal's client throws into an error for people. */
export function asAgentOnceError(error: unknown, client: Client | Target): AgentOnceError {
  if (error instanceof AgentOnceError) return error;
  const target = 'namespace' in client ? client : targetOf(client);
  const { address, namespace } = target;
  const cause = { cause: error };
  if (error instanceof NamespaceNotFoundError) return namespaceNotFound(target, cause);

  const status = grpcStatusOf(error);
  if (isUnreachable(error)) {
    return unreachable(address, failureIn(status), cause);
  }
  if (status?.code === NOT_FOUND && /namespace/i.test(status.details)) {
    return namespaceNotFound(target, cause);
  }
  if (status?.code === PERMISSION_DENIED || status?.code === UNAUTHENTICATED) {
    return new AgentOnceError(
      'temporal.failed',
      `Temporal at ${address} refused these credentials for namespace "${namespace}". Check TEMPORAL_API_KEY or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH), and TEMPORAL_NAMESPACE.`,
      cause,
    );
  }
  if (status?.code === RESOURCE_EXHAUSTED) {
    return new AgentOnceError(
      'temporal.limited',
      `Temporal at ${address} limits the requests of namespace "${namespace}" (${redact(status.details).slice(0, 200)}), and has refused this one. Repeat it later, send fewer at once, or have the limit raised.`,
      cause,
    );
  }
  if (status?.code === INVALID_ARGUMENT && /search attribute/i.test(status.details)) {
    return searchAttributesMissing(target, cause);
  }
  const details = status?.details ?? (error instanceof Error ? error.message : String(error));
  return new AgentOnceError(
    'temporal.failed',
    `Temporal at ${address}, namespace "${namespace}", refused the request: ${redact(details).slice(0, 500)}`,
    cause,
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
  cause: ErrorOptions,
): AgentOnceError {
  const setting = failure && CANNOT_BE_USED[failure.kind];
  const seen = failure ? `: ${failure.says} (${failure.code})` : '';
  if (setting !== undefined) {
    return new AgentOnceError(
      'temporal.failed',
      `Temporal at ${address} cannot be used${seen}. ${setting}`,
      cause,
    );
  }
  const advice =
    (failure && CHECK[failure.kind]) ??
    (isLoopback(address)
      ? 'Start one with `agent-once dev`, or set TEMPORAL_ADDRESS.'
      : 'Check TEMPORAL_ADDRESS and the network.');
  return new AgentOnceError(
    'temporal.unreachable',
    `No Temporal server answers at ${address}${seen}. ${advice}`,
    cause,
  );
}

export function isLoopback(address: string): boolean {
  return /^(127\.\d|localhost(:|$)|\[::1\])/.test(address);
}

/** gRPC tells in words what its connection met. */
function failureIn(
  status: { code: number; details: string } | undefined,
): ConnectionFailure | undefined {
  if (status?.code === DEADLINE_EXCEEDED) {
    return { kind: 'timeout', code: 'DEADLINE_EXCEEDED', says: 'it did not answer in time' };
  }
  const details = status?.details ?? '';
  if (/name resolution failed/i.test(details)) {
    return { kind: 'name', code: 'ENOTFOUND', says: 'its name cannot be resolved' };
  }
  const [code] = /\bE[A-Z]{4,}\b/.exec(details) ?? [];
  return connectionFailure(code === undefined ? undefined : { code });
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
  if (status) return status.code === UNAVAILABLE || status.code === DEADLINE_EXCEEDED;
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

function grpcStatusOf(error: unknown): { code: number; details: string } | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return { code: at.code, details: at.details };
  }
  return undefined;
}

function namespaceNotFound({ address, namespace }: Target, cause: ErrorOptions): AgentOnceError {
  return new AgentOnceError(
    'temporal.namespace_not_found',
    `Temporal at ${address} has no namespace "${namespace}". Set TEMPORAL_NAMESPACE, or create it: temporal operator namespace create --namespace ${namespace}`,
    cause,
  );
}

function searchAttributesMissing({ namespace }: Target, cause: ErrorOptions): AgentOnceError {
  const wanted = Object.entries(SEARCH_ATTRIBUTES).map(
    ([name, type]) => `--name ${name} --type ${type}`,
  );
  return new AgentOnceError(
    'temporal.search_attributes_missing',
    `Namespace "${namespace}" lacks the search attributes that runs carry. Register them: temporal operator search-attribute create --namespace ${namespace} ${wanted.join(' ')}\nOr run without them: AGENT_ONCE_SEARCH_ATTRIBUTES=off, for workers and callers alike.`,
    cause,
  );
}
