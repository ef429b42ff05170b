import type { Config } from '../config.ts';
import { dialectOf, maxToolsOf, OPENAI_URL } from '../contract/dialects.ts';

/** What holds for agents that say nothing else, and what their endpoint allows. */
export interface RegistryDefaults {
  /** Serves agents that name no model. */
  defaultModel: string;
  /** For agents that set none; default: the endpoint's own. */
  reasoningEffort?: string | undefined;
  /** Tools that one request may offer; default: any number. */
  maxTools?: number | undefined;
}

export type EndpointSettings = Pick<
  Config,
  'openaiModel' | 'openaiReasoningEffort' | 'openaiBaseUrl' | 'openaiApiKey' | 'openaiDialect'
>;

/** The defaults that the settings of the one endpoint give. */
export function registryDefaults(config: EndpointSettings): RegistryDefaults {
  const { openaiModel, openaiReasoningEffort, openaiBaseUrl, openaiApiKey } = config;
  // Neither a URL nor a key: the scripted model takes any number.
  const url = openaiBaseUrl ?? (openaiApiKey === undefined ? '' : OPENAI_URL);
  return {
    defaultModel: openaiModel,
    reasoningEffort: openaiReasoningEffort,
    maxTools: maxToolsOf(config.openaiDialect ?? dialectOf(url)),
  };
}
