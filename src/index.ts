import type { Extra } from './cli/app.ts';
import type { AgentOnceClient } from './client/agent-once-client.ts';
import type { AgentDirectory } from './client/types.ts';
import type { Config } from './config.ts';
import type { ModelEndpoints } from './contract/model-endpoint.ts';
import type { AgentDefinition } from './define/define-agent.ts';

/**
 * What an app and a backend import of the engine. The command loads it at each start, so it loads
 * neither Temporal's client nor PostgreSQL's: `createClient` does, when it is called.
 */

/** The composition, agents and tools: what `src/app` is written with. */
export { defineApp, type App, type Extra } from './cli/app.ts';
export { defineAgent, type AgentDefinition } from './define/define-agent.ts';
export {
  defineTool,
  type ToolContext,
  type ToolDefinition,
  type TransactionalToolContext,
} from './define/define-tool.ts';
export { defineModels } from './define/define-models.ts';
export type { ModelEndpoint } from './contract/model-endpoint.ts';
export { NotApplied } from './define/not-applied.ts';
export { createTestContext, runTool } from './define/test-context.ts';

/** Readers of environment variables, for settings of the app's own. */
export { readCount, readFlag, readHttpUrl, readOneOf, readText } from './env.ts';

/** The client, and what its methods take, return and throw. */
export type { AgentOnceClient } from './client/agent-once-client.ts';
export type {
  ListFilter,
  RunRef,
  RunSummary,
  RunView,
  StartedRun,
  StartRequest,
  WaitOptions,
} from './client/types.ts';
export type { DecisionInput } from './contract/decision.ts';
export { AgentOnceError, type ErrorCode } from './contract/errors.ts';
export type { JsonValue } from './contract/json-value.ts';

/**
 * Connects to Temporal as the command does: where its environment configuration says
 * (`TEMPORAL_ADDRESS` …), and with the settings that workers and callers share, such as
 * `AGENT_ONCE_HASH_KEYS`. So one key names one run, whoever starts it. Call `close()` at the end.
 *
 * @param options.agents checks the names of agents, and gives each run its agent's settings at the
 *   start; without it the run's first model step does
 * @param options.models the app's endpoints: which of the agents' models are names of them
 * @param options.extras the app's: what they add to this client, such as a codec; default: those of the
 *   command that this process runs
 * @throws {AgentOnceError} `config.invalid`, `agent.invalid`, `temporal.unreachable`,
 *   `temporal.failed`
 */
export async function createClient(
  options: {
    agents?: readonly AgentDefinition[];
    models?: ModelEndpoints;
    extras?: readonly Pick<Extra, 'plugins'>[];
  } = {},
): Promise<AgentOnceClient> {
  const [{ readConfig }, { openClient }] = await Promise.all([
    import('./config.ts'),
    import('./client/open-client.ts'),
  ]);
  const config = readConfig();
  const { agents, models, extras } = options;
  return openClient(config, agents && (await registryOf(agents, config, models)), { extras });
}

async function registryOf(
  agents: readonly AgentDefinition[],
  config: Config,
  models: ModelEndpoints | undefined,
): Promise<AgentDirectory> {
  const { createRegistry } = await import('./define/registry.ts');
  const { registryDefaults } = await import('./define/registry-defaults.ts');
  return createRegistry(agents, registryDefaults(config, models));
}
