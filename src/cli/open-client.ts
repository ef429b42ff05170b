import type { AgentDefinition } from '../define/define-agent.ts';
import type { App } from './app.ts';
import type { AgentOnceClient } from '../client/agent-once-client.ts';
import type { AgentDirectory, RunRef } from '../client/types.ts';
import { readConfig, type Config } from '../config.ts';
import { AgentOnceError } from '../contract/errors.ts';
import { workflowIdOf } from '../contract/key.ts';
import { runUrl } from '../client/workflow-url.ts';

/** Loads the agents when a command needs them: they bring their tools' imports along. */
export type LoadAgents = () => Promise<readonly AgentDefinition[]>;

export interface OpenClient {
  client: AgentOnceClient;
  /** Where a person looks at a run, or answers what it asks about a step. */
  urlOf: (workflowId: string, step?: string) => string;
}

/** The app's agents, with the defaults of the settings. */
export async function openRegistry(config: Config, app: Pick<App, 'agents' | 'models'>) {
  const [{ createRegistry }, { registryDefaults }, agents] = await Promise.all([
    import('../define/registry.ts'),
    import('../define/registry-defaults.ts'),
    app.agents(),
  ]);
  return createRegistry(agents, registryDefaults(config, app.models));
}

/** Connects, for the time of one command. */
export async function withClient<T>(
  config: Config,
  use: (open: OpenClient) => Promise<T>,
  registry?: AgentDirectory,
): Promise<T> {
  const { openClient } = await import('../client/open-client.ts');
  const client = await openClient(config, registry);
  try {
    const { namespace } = client.context.temporal.options;
    return await use({ client, urlOf: (...run) => runUrl(config, namespace, ...run) });
  } finally {
    await client.close();
  }
}

/**
 * `withClient` for commands about a run that exists: names are checked before anything is sent.
 *
 * @param registry for those that start something
 */
export async function withRun<T>(
  ref: Required<RunRef>,
  loadAgents: LoadAgents,
  use: (open: OpenClient) => Promise<T>,
  registry?: AgentDirectory,
): Promise<T> {
  workflowIdOf(ref);
  try {
    return await withClient(readConfig(), use, registry);
  } catch (error) {
    if (!(error instanceof AgentOnceError) || error.code !== 'run.not_found') throw error;
    // A misspelt agent is the likelier mistake; runs of an agent that was removed are still found.
    const names = (await loadAgents()).map(({ name }) => name);
    if (names.length === 0 || names.includes(ref.agent)) throw error;
    throw new AgentOnceError(
      'agent.unknown',
      `There is no run under this key, and no agent "${ref.agent}"; known: ${names.join(', ')}.`,
      { cause: error },
    );
  }
}
