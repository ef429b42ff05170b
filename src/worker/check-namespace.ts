import { AgentOnceError } from '../contract/errors.ts';
import { SEARCH_ATTRIBUTES } from '../contract/names.ts';
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

/** Numbers of Temporal's `IndexedValueType`. */
const TYPE_NUMBERS = { Keyword: 2, Double: 4 } as const;

/**
 * What to tell the operator when the namespace lacks the search attributes of runs, or has them
 * with other types; `undefined` when all is well or the server does not say.
 */
export async function searchAttributesProblem({
  connection,
  namespace,
}: WorkerConnection): Promise<string | undefined> {
  const answer = await connection.operatorService
    .listSearchAttributes({ namespace })
    .catch(() => undefined);
  // Temporal Cloud does not offer this call: then a start says what is missing.
  if (!answer) return undefined;
  const registered = answer.customAttributes ?? {};
  const wanted = Object.entries(SEARCH_ATTRIBUTES);
  const missing = wanted.filter(([name]) => registered[name] === undefined);
  const wrong = wanted.filter(
    ([name, type]) => registered[name] !== undefined && registered[name] !== TYPE_NUMBERS[type],
  );
  if (wrong.length > 0) {
    return `Search attributes of another type than runs need: ${wrong.map(([name, type]) => `${name} must be ${type}`).join(', ')}. Or set AGENT_ONCE_SEARCH_ATTRIBUTES=off.`;
  }
  if (missing.length === 0) return undefined;
  const flags = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ');
  return `The namespace lacks search attributes. Register them with "temporal operator search-attribute create --namespace ${namespace} ${flags}", or set AGENT_ONCE_SEARCH_ATTRIBUTES=off for workers and callers.`;
}
