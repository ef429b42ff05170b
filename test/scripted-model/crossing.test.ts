import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DialectName } from '../support/model/dialects/dialects.ts';
import {
  chat,
  echo,
  foreignTurn,
  messageOf,
  outputOf,
  outputs,
  respond,
  script,
  startModel,
} from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;

beforeAll(async () => {
  model = await startModel();
});
afterAll(async () => {
  await model.stop();
});

const START = script({ calls: [echo('a')] }, { say: 'done' });

/** A model that thinks, and may have tools in chat completions. */
const MODELS: Record<Exclude<DialectName, 'dashscope'>, string> = {
  openai: 'gpt-5.1',
  azure: 'gpt-5.1',
  gemini: 'gemini-3-pro',
  vertex: 'google/gemini-3-pro',
  deepseek: 'deepseek-v4-pro',
  kimi: 'kimi-k2.6',
  mistral: 'mistral-large',
  openrouter: 'anthropic/claude',
  groq: 'openai/gpt-oss-120b',
};

const skip = (vendor: string) => ({
  extra_content: { [vendor]: { thought_signature: 'skip_thought_signature_validator' } },
});

/** What each wants for a call that it did not make. */
const PLACEHOLDERS: Partial<Record<DialectName, { message?: object; call?: object }>> = {
  gemini: { call: skip('google') },
  vertex: { call: skip('vertex') },
  deepseek: { message: { reasoning_content: '' } },
  kimi: { message: { reasoning_content: ' ' } },
};

const NAMES = Object.keys(MODELS) as (keyof typeof MODELS)[];
const ask = (name: keyof typeof MODELS, messages: Record<string, unknown>[]) =>
  chat(model.dialectUrl(name), messages, { model: MODELS[name] });

test.each(NAMES)('a turn of %s goes to every other endpoint with its placeholder', async (from) => {
  const issued = messageOf(await ask(from, [START])).tool_calls ?? [];
  for (const to of NAMES.filter((name) => name !== from)) {
    // Mistral is the strictest about IDs.
    const id = to === 'mistral' ? 'abcDEF789' : (issued[0]?.id ?? '');
    const [message, result] = foreignTurn(id, PLACEHOLDERS[to]?.message as never);
    const [call] = (message?.['tool_calls'] ?? []) as object[];
    const rebuilt = { ...message, tool_calls: [{ ...call, ...PLACEHOLDERS[to]?.call }] };
    const answered = messageOf(await ask(to, [START, rebuilt, result ?? {}]));
    expect(JSON.stringify(answered.content)).toContain('done');
  }
});

test.each(['openai', 'azure'] as const)('a turn of chat goes to responses of %s', async (to) => {
  for (const from of NAMES) {
    const [call] = messageOf(await ask(from, [START])).tool_calls ?? [];
    const item = { type: 'function_call', call_id: call?.id, ...call?.function };
    const output = outputOf(
      await respond(model.dialectUrl(to), [START, item, ...outputs([item])], { model: 'gpt-6' }),
    );
    expect(output.at(-1)).toMatchObject({ content: [{ text: 'done' }] });
  }
});
