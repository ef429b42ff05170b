import type { Dialect } from '../../../../src/extras/dev/scripted-model/dialect.ts';
import { dashScopeDialect } from './dashscope.ts';
import { geminiDialect } from './gemini.ts';
import { groqDialect } from './groq.ts';
import { mistralDialect } from './mistral.ts';
import { openAiDialect } from './openai.ts';
import { openRouterDialect } from './openrouter.ts';
import { thinkingDialect } from './thinking.ts';

/** A dialect is served at `/NAME/v1`. */
const CREATE = {
  openai: openAiDialect,
  azure: openAiDialect,
  gemini: () => geminiDialect('google'),
  vertex: () => geminiDialect('vertex'),
  deepseek: () => thinkingDialect('deepseek'),
  kimi: () => thinkingDialect('kimi'),
  mistral: mistralDialect,
  openrouter: openRouterDialect,
  groq: groqDialect,
  dashscope: dashScopeDialect,
} satisfies Record<string, () => Dialect>;

export type DialectName = keyof typeof CREATE;

/** New ones, which have issued nothing yet. */
export function createDialects(): Record<string, Dialect> {
  return Object.fromEntries(Object.entries(CREATE).map(([name, create]) => [name, create()]));
}
