import { connectionFailure } from '../contract/connection-failure.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { probe } from './probe.ts';
import { probeProxy } from './probe-proxy.ts';
import { proxyFor } from './proxy.ts';
import type { TemporalConfig } from './temporal-config.ts';
import { asAgentOnceError, isUnreachable, unreachable } from './temporal-errors.ts';

/**
 * What to tell a person of a connection that could not be made. Asks the server what is wrong, or the
 * proxy to it.
 */
export async function connectionProblem(
  error: unknown,
  config: TemporalConfig,
): Promise<AgentOnceError> {
  const seen = connectionFailure(error);
  if (seen === undefined && !isUnreachable(error)) return asAgentOnceError(error, config);
  const { address, connectionOptions } = config;
  const cause = { cause: error };
  const proxy = proxyFor(address);
  if (proxy === undefined) {
    return unreachable(address, seen ?? (await probe(address, connectionOptions.tls)), cause);
  }
  // It may see another server than this machine does, so nobody else is asked.
  const failure = await probeProxy(address, proxy);
  if (failure === undefined) return unreachable(address, seen, cause);
  return new AgentOnceError(
    'temporal.unreachable',
    `No Temporal server answers at ${address} through the proxy of HTTPS_PROXY, ${proxy.address}: ${failure.says}. ${failure.advice}`,
    cause,
  );
}
