import type { Attributes } from '@opentelemetry/api';
import { dialectOf, OPENAI_URL, type DialectName } from '../../contract/dialects.ts';

/**
 * Names of OpenTelemetry's conventions for generative AI, as their own repository
 * (open-telemetry/semantic-conventions-genai) has them: v0.1, status "Development". They change; this
 * file alone knows them.
 */
export const GEN_AI = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  agent: 'gen_ai.agent.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  /** Cached input is a part of it. */
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  toolName: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
  toolCallId: 'gen_ai.tool.call.id',
} as const;

/** Values of `gen_ai.operation.name`; a span's name begins with one. */
export const OPERATION = {
  agent: 'invoke_agent',
  model: 'chat',
  tool: 'execute_tool',
} as const;

/** Of an endpoint that nobody knows: the form in which it is spoken to. */
const PROVIDERS: Readonly<Record<DialectName, string>> = {
  openai: 'openai',
  azure: 'azure.ai.openai',
  gemini: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  deepseek: 'deepseek',
  kimi: 'moonshot_ai',
  mistral: 'mistral_ai',
  openrouter: 'openrouter',
  groq: 'groq',
  ollama: 'ollama',
  other: 'openai',
};

/** What a span says of the endpoint that a model is asked at. */
export function endpointAttributes(
  baseUrl: string = OPENAI_URL,
  dialect: DialectName = dialectOf(baseUrl),
): Attributes {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  return {
    [GEN_AI.provider]: PROVIDERS[dialect],
    ...(url && {
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'http:' ? 80 : 443),
    }),
  };
}
