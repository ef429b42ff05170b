import { AgentOnceError } from '../contract/errors.ts';
import type { Registry } from '../define/registry.ts';
import type { WorkerConnection } from './connect.ts';

/**
 * A key cannot outlive what Temporal retains of its run: then it would be new again before its time.
 *
 * @throws {AgentOnceError} `config.invalid`: which of the two to change
 */
export function assertRetentionSuffices(
  registry: Registry,
  { namespace, retentionMs }: WorkerConnection,
): void {
  // The server does not say.
  if (retentionMs === 0) return;
  for (const agent of registry.names()) {
    const { keyTtlMs } = registry.settingsOf(agent);
    if (keyTtlMs <= retentionMs) continue;
    const hours = Math.ceil(keyTtlMs / 3_600_000);
    throw new AgentOnceError(
      'config.invalid',
      `The keys of agent "${agent}" live for ${keyTtlMs / 1_000} s after a run, but namespace "${namespace}" retains closed runs for ${retentionMs / 1_000} s only. ` +
        `Lower keyTtlSeconds of the agent, or raise the retention: temporal operator namespace update --namespace ${namespace} --retention ${hours}h`,
    );
  }
}
