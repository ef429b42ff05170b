import { connectionFailure } from '../contract/connection-failure.ts';
import type { AgentOnceError } from '../contract/errors.ts';
import { probe } from './probe.ts';
import { proxyFor } from './proxy.ts';
import type { TemporalConfig } from './temporal-config.ts';
import { asAgentOnceError, isUnreachable, unreachable } from './temporal-errors.ts';

/** What to tell a person of a connection that could not be made. Asks the server what is wrong. */
export async function connectionProblem(
  error: unknown,
  config: TemporalConfig,
): Promise<AgentOnceError> {
  const seen = connectionFailure(error);
  if (seen === undefined && !isUnreachable(error)) return asAgentOnceError(error, config);
  const { address, connectionOptions } = config;
  // A proxy may see another server than this machine does.
  const failure =
    seen ?? (proxyFor(address) ? undefined : await probe(address, connectionOptions.tls));
  return unreachable(address, failure, { cause: error });
}
