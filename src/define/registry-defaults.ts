import type { Config } from '../config.ts';
import { dialectOf, maxToolsOf, OPENAI_URL } from '../contract/dialects.ts';
import { checkEndpoints } from './check-endpoint.ts';
import type { StepPolicy } from '../contract/settings.ts';
import type { ModelEndpoint, ModelEndpoints } from '../contract/model-endpoint.ts';

/** What holds for agents that say nothing else, and what their endpoint allows. */
export interface RegistryDefaults {
  /** Serves agents that name no model. */
  defaultModel: string;
  /** For agents that set none; default: the endpoint's own. */
  reasoningEffort?: string | undefined;
  /** How long Temporal waits for a heartbeat where agent and tool say nothing. */
  heartbeat?: Pick<StepPolicy, 'heartbeatMs'>;
  /** Names of the app's endpoints. */
  endpoints?: readonly string[];
  /** Tools that one request to a model may offer; `undefined`: any number. */
  maxTools?: (model: string) => number | undefined;
  /** Whether a model's endpoint makes its answers in the background; default: none does. */
  inBackground?: (model: string) => boolean;
}

export type EndpointSettings = Pick<
  Config,
  | 'openaiModel'
  | 'openaiReasoningEffort'
  | 'openaiBaseUrl'
  | 'openaiApiKey'
  | 'openaiDialect'
  | 'heartbeatMs'
>;

/**
 * The defaults that the settings of the environment's endpoint give, and the app's own endpoints.
 *
 * @throws {AgentOnceError} `config.invalid`: an endpoint that is wrong
 */
export function registryDefaults(
  config: EndpointSettings,
  endpoints: ModelEndpoints = {},
): RegistryDefaults {
  checkEndpoints(endpoints);
  const { openaiModel, openaiReasoningEffort, openaiBaseUrl, openaiApiKey } = config;
  // Neither a URL nor a key: the scripted model takes any number.
  const baseUrl = openaiBaseUrl ?? (openaiApiKey === undefined ? '' : OPENAI_URL);
  const preset: ModelEndpoint = { baseUrl, dialect: config.openaiDialect };
  const endpointOf = (model: string): ModelEndpoint | undefined =>
    Object.hasOwn(endpoints, model) ? endpoints[model] : preset;
  return {
    defaultModel: openaiModel,
    reasoningEffort: openaiReasoningEffort,
    heartbeat: { heartbeatMs: config.heartbeatMs },
    endpoints: Object.keys(endpoints),
    maxTools(model) {
      const endpoint = endpointOf(model);
      return maxToolsOf(endpoint?.dialect ?? dialectOf(endpoint?.baseUrl ?? OPENAI_URL));
    },
    inBackground: (model) => endpointOf(model)?.background === true,
  };
}
