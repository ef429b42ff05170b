import type { Config } from '../config.ts';
import { defined } from '../contract/defined.ts';
import { AgentOnceClient } from './agent-once-client.ts';
import { connect } from './connect.ts';
import type { WithPlugins } from './plugins.ts';
import type { AgentDirectory } from './types.ts';

/**
 * A client with the settings that all workers and callers share, on a connection of its own, which
 * its `close` ends. See `ClientOptions` and `connect`.
 */
export async function openClient(
  { hashKeys, searchAttributes, splitTaskQueues }: Config,
  registry?: AgentDirectory,
  options: { attempts?: number; extras?: WithPlugins | undefined } = {},
): Promise<AgentOnceClient> {
  const connection = await connect(options);
  const settings = { hashKeys, searchAttributes, splitTaskQueues };
  return new AgentOnceClient({ ...connection, ...settings, ...defined({ registry }) });
}
