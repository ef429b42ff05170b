/**
 * Endpoints that speak OpenAI's chat completions, and do not all mean the same by it. Known ones are
 * told apart by their host; `OPENAI_DIALECT` names one behind another host, such as a gateway.
 */
interface Dialect {
  hosts: readonly RegExp[];
  /** Tools that one request may offer, where that is known. */
  maxTools?: number;
}

export const DIALECTS = {
  openai: { hosts: [/^(?:[a-z]{2}\.)?api\.openai\.com$/], maxTools: 128 },
  azure: { hosts: [/\.openai\.azure\.com$/, /\.services\.ai\.azure\.com$/], maxTools: 128 },
  gemini: { hosts: [/^generativelanguage\.googleapis\.com$/], maxTools: 512 },
  vertex: { hosts: [/aiplatform\.googleapis\.com$/], maxTools: 512 },
  deepseek: { hosts: [/^api\.deepseek\.com$/], maxTools: 128 },
  kimi: { hosts: [/^api\.moonshot\.(?:ai|cn)$/, /^api\.kimi\.com$/], maxTools: 128 },
  mistral: { hosts: [/^api\.mistral\.ai$/] },
  openrouter: { hosts: [/^openrouter\.ai$/] },
  groq: { hosts: [/^api\.groq\.com$/], maxTools: 128 },
  /** By its port: it runs on one's own machine. */
  ollama: { hosts: [/:11434$/] },
  /** Anything else: vLLM, llama.cpp, LiteLLM, a gateway … */
  other: { hosts: [] },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

export const DIALECT_NAMES = Object.keys(DIALECTS) as DialectName[];

/** Where OpenAI's own API is. */
export const OPENAI_URL = 'https://api.openai.com/v1';

/** @param baseUrl of an endpoint; one that is no URL belongs to nobody we know */
export function dialectOf(baseUrl: string): DialectName {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (!url) return 'other';
  const known = Object.entries(DIALECTS).find(([, { hosts }]: [string, Dialect]) =>
    hosts.some((host) => host.test(url.hostname) || host.test(url.host)),
  );
  return (known?.[0] as DialectName | undefined) ?? 'other';
}

export function maxToolsOf(dialect: DialectName): number | undefined {
  return (DIALECTS[dialect] as Dialect).maxTools;
}
