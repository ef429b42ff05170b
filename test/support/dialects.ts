import type { DialectName } from './model/dialects/dialects.ts';

/** An endpoint that the scripted model plays strictly, and how a worker is set up for it. */
export interface StrictEndpoint {
  name: string;
  dialect: DialectName;
  api: 'chat' | 'responses';
  model: string;
  /** For models that take tools in chat completions only without thinking. */
  effort?: string;
  stream?: true;
  /** What turn 2 must hold of what came with turn 1; absent: nothing came. */
  comesBack?: RegExp;
}

const ENCRYPTED = /"encrypted_content":"[^"]+"/;
const SIGNED = /"thought_signature":"(?!skip_)[^"]+"/;
const THOUGHTS = /"reasoning_content":"[^"]*\w[^"]*"/;

export const STRICT_ENDPOINTS: readonly StrictEndpoint[] = [
  {
    name: 'OpenAI, Responses',
    dialect: 'openai',
    api: 'responses',
    model: 'gpt-6-luna',
    comesBack: ENCRYPTED,
  },
  { name: 'Gemini 3', dialect: 'gemini', api: 'chat', model: 'gemini-3-pro', comesBack: SIGNED },
  { name: 'DeepSeek', dialect: 'deepseek', api: 'chat', model: 'deepseek-v4', comesBack: THOUGHTS },
  { name: 'Kimi', dialect: 'kimi', api: 'chat', model: 'kimi-k2.6', comesBack: THOUGHTS },
  {
    name: 'Mistral',
    dialect: 'mistral',
    api: 'chat',
    model: 'magistral-medium',
    comesBack: /"type":"thinking"/,
  },
  { name: 'Vertex', dialect: 'vertex', api: 'chat', model: 'gemini-3-pro', comesBack: SIGNED },
  {
    name: 'Azure, Responses',
    dialect: 'azure',
    api: 'responses',
    model: 'gpt-6-luna',
    comesBack: ENCRYPTED,
  },
  {
    name: 'OpenRouter',
    dialect: 'openrouter',
    api: 'chat',
    model: 'vendor/thinker',
    comesBack: /"reasoning_details":\[/,
  },
  { name: 'Groq', dialect: 'groq', api: 'chat', model: 'gpt-oss' },
  {
    name: 'OpenAI, Responses, as streams',
    dialect: 'openai',
    api: 'responses',
    model: 'gpt-6-luna',
    stream: true,
    comesBack: ENCRYPTED,
  },
  {
    name: 'DashScope, which answers streams only',
    dialect: 'dashscope',
    api: 'chat',
    model: 'qwen3-max-thinking',
    stream: true,
    comesBack: THOUGHTS,
  },
  { name: 'OpenAI, chat', dialect: 'openai', api: 'chat', model: 'gpt-6-luna', effort: 'none' },
];

/** The environment of a worker that asks this endpoint; on loopback no host tells what it is. */
export function workerEnv(
  { dialect, api, effort, stream }: StrictEndpoint,
  model: { dialectUrl(name: DialectName): string },
): Record<string, string> {
  return {
    OPENAI_BASE_URL: model.dialectUrl(dialect),
    OPENAI_API_KEY: 'test-key-0123456789',
    OPENAI_DIALECT: dialect === 'dashscope' ? 'other' : dialect,
    OPENAI_API: api,
    ...(stream ? { OPENAI_STREAM: 'on' } : {}),
    ...(effort === undefined ? {} : { OPENAI_REASONING_EFFORT: effort }),
  };
}
