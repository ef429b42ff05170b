import type { Config } from '../config.ts';
import { AgentOnceClient } from './agent-once-client.ts';
import { connect } from './connect.ts';
import type { AgentDirectory } from './types.ts';

/**
 * A client with the settings that all workers and callers share, on a connection of its own, which
 * its `close` ends.
 *
 * @param registry see `ClientOptions`
 * @param attempts see `connect`
 * @throws {AgentOnceError} those of `connect`
 */
export async function openClient(
  config: Pick<Config, 'hashKeys' | 'searchAttributes' | 'splitTaskQueues'>,
  registry?: AgentDirectory,
  attempts?: number,
): Promise<AgentOnceClient> {
  const { hashKeys, searchAttributes, splitTaskQueues } = config;
  return new AgentOnceClient({
    ...(await connect(attempts === undefined ? {} : { attempts })),
    hashKeys,
    searchAttributes,
    splitTaskQueues,
    ...(registry ? { registry } : {}),
  });
}
