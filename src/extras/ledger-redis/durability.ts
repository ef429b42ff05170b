import { AgentOnceError } from '../../contract/errors.ts';
import type { Connection } from './connection.ts';

/** What a server must be set to that never forgets what it answered, and why. */
const SETTINGS = [
  { name: 'appendonly', value: 'yes', otherwise: 'a restart forgets claims' },
  { name: 'appendfsync', value: 'always', otherwise: 'a power cut forgets claims' },
  { name: 'maxmemory-policy', value: 'noeviction', otherwise: 'full memory drops claims' },
];

/**
 * Checks the operator's word that the server is one durable node, as far as the server tells. One
 * that tells no settings, as many a managed one, is taken at that word.
 *
 * @param tools names of those that run at most once
 * @throws {AgentOnceError} `ledger.invalid`: which setting, for which tool, and what to do
 */
export async function assertDurable(
  connection: Connection,
  tools: readonly string[],
): Promise<void> {
  const found = await connection.settings(...SETTINGS.map(({ name }) => name));
  for (const { name, value, otherwise } of SETTINGS) {
    const actual = found?.get(name);
    if (actual === undefined || actual === value) continue;
    throw new AgentOnceError(
      'ledger.invalid',
      `${toolNames(tools)} at most once, and the Redis ledger at ${connection.where} has ${name} ${actual}: ${otherwise}, and the tool would run again. Set ${name} to ${value} in the server's configuration, use a PostgreSQL ledger, or give the tool another effect.`,
    );
  }
}

function toolNames(tools: readonly string[]): string {
  const names = tools.map((tool) => `"${tool}"`).join(', ');
  return tools.length === 1 ? `The tool ${names} runs` : `The tools ${names} run`;
}
