import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/server.ts';

let model: ScriptedModel;
let control: string;
let scriptsDir: string;
let openai: OpenAI;

beforeAll(async () => {
  scriptsDir = await mkdtemp(join(tmpdir(), 'agent-once-scripts-'));
  model = await startScriptedModel({ scriptsDir });
  control = model.url.replace(/\/v1$/, '');
  openai = new OpenAI({ baseURL: model.url, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await model.stop();
  await rm(scriptsDir, { recursive: true });
});
beforeEach(async () => {
  await fetch(`${control}/counters/reset`, { method: 'POST' });
});

type Message = OpenAI.Chat.ChatCompletionMessageParam;

const ECHO = { type: 'function' as const, function: { name: 'echo', parameters: {} } };

function user(content: string | object): Message {
  return {
    role: 'user',
    content: typeof content === 'string' ? content : JSON.stringify(content),
  };
}

function ask(messages: Message[], token?: string) {
  return openai.chat.completions.create(
    { model: 'some-model', messages, tools: [ECHO] },
    token === undefined ? {} : { headers: { 'Idempotency-Key': token } },
  );
}

/** The one choice of a completion. */
function choiceOf({ choices: [choice] }: OpenAI.Chat.ChatCompletion) {
  if (!choice) throw new Error('The completion has no choice.');
  return choice;
}

function postJson(path: string, body: object): Promise<Response> {
  return fetch(`${control}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describe('a script in the message', () => {
  const script = {
    script: [
      {
        calls: [
          { name: 'echo', arguments: { text: 'ä' } },
          { name: 'echo', arguments: '{"broken' },
        ],
      },
      { say: 'done' },
    ],
  };

  test('plays entry n on turn n, and the same answer to the same request', async () => {
    const first = await ask([user(script)]);
    const choice = choiceOf(first);
    expect(first.model).toBe('some-model');
    expect(choice.finish_reason).toBe('tool_calls');
    const calls = choice.message.tool_calls ?? [];
    expect(calls.map((call) => call.type === 'function' && call.function)).toEqual([
      { name: 'echo', arguments: '{"text":"ä"}' },
      { name: 'echo', arguments: '{"broken' },
    ]);
    expect(new Set(calls.map((call) => call.id)).size).toBe(2);
    expect(await ask([user(script)])).toEqual(first);

    const answers = calls.map((call) => ({
      role: 'tool' as const,
      tool_call_id: call.id,
      content: 'ok',
    }));
    const second = await ask([user(script), choice.message, ...answers]);
    expect(second.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'done' },
    });
    expect(second.usage?.prompt_tokens).toBeGreaterThan(first.usage?.prompt_tokens ?? NaN);
  });

  test('says what is wrong with it', async () => {
    await expect(ask([user({ script: [{ saay: 'typo' }] })])).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('saay'),
    });
  });

  test('sets finish reason and usage', async () => {
    const usage = { inputTokens: 7, outputTokens: 3 };
    const cut = await ask([user({ script: [{ say: 'half', finish: 'length', usage }] })]);
    expect(cut.choices[0]?.finish_reason).toBe('length');
    expect(cut.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
    expect(await ask([user({ script: [{ say: 'x', usage: null }] })])).not.toHaveProperty('usage');
  });
});

describe('counters', () => {
  test('count requests, by token where there is one, failed ones included', async () => {
    await ask([user('one')], 'scope:t1.model');
    await expect(ask([], 'scope:t1.model')).rejects.toThrow();
    await ask([user('two')]);
    const counters: unknown = await (await fetch(`${control}/counters`)).json();
    expect(counters).toEqual({
      requests: 3,
      byToken: { 'scope:t1.model': 2 },
      byKey: { 'scope:t1.model': 2 },
    });
  });
});

describe('the wire', () => {
  const call = { id: 'c1', type: 'function' as const, function: { name: 'echo', arguments: '{}' } };
  const asks: Message = { role: 'assistant', content: null, tool_calls: [call] };

  test.each<[string, Message[]]>([
    ['a tool call without an answer', [user('hello'), asks]],
    ['an answer that comes too late', [user('hello'), asks, user('and?')]],
    ['an answer to nothing', [user('hello'), { role: 'tool', tool_call_id: 'c1', content: 'x' }]],
    ['no message', []],
  ])('refuses %s, as providers do', async (_title, messages) => {
    await expect(ask(messages)).rejects.toMatchObject({ status: 400 });
  });

  test('lists a model and says what it is', async () => {
    expect((await openai.models.list()).data).toHaveLength(1);
    expect(await (await fetch(control)).text()).toContain('scripted model');
  });

  test.each(['/chat/completions', '/responses'])(
    'does not stream at %s, and says so',
    async (path) => {
      const asked = {
        model: 'some-model',
        messages: [user('hello')],
        input: 'hello',
        stream: true,
      };
      const response = await postJson(`/v1${path}`, asked);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: { param: 'stream', message: expect.stringContaining('does not stream') },
      });
    },
  );

  test('answers slowly when told to', async () => {
    await postJson('/delay', { ms: 400 });
    const from = performance.now();
    await ask([user('hello')]);
    await postJson('/delay', { ms: 0 });
    expect(performance.now() - from).toBeGreaterThanOrEqual(390);
  });

  test('a taken port has its own error', async () => {
    await expect(startScriptedModel({ port: model.port })).rejects.toMatchObject({
      code: 'port.in_use',
    });
  });
});

describe('script modules', () => {
  test('are loaded from their folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-once-scripts-'));
    await writeFile(
      join(folder, 'parrot.mjs'),
      `export const script = {
        name: 'parrot', matches: (r) => r.messages[0].content === 'polly', reply: () => ({ say: 'cracker' }),
      };`,
    );
    const parrot = await startScriptedModel({ scriptsDir: folder });
    try {
      const own = new OpenAI({ baseURL: parrot.url, apiKey: 'none', maxRetries: 0 });
      const say = async (text: string) =>
        (await own.chat.completions.create({ model: 'm', messages: [user(text)] })).choices[0]
          ?.message.content;
      expect(await say('polly')).toBe('cracker');
      expect(await say('jack')).toContain('no script');
      await writeFile(join(folder, 'empty.mjs'), 'export const nothing = 1;');
      await expect(startScriptedModel({ scriptsDir: folder })).rejects.toThrow('empty.mjs');
    } finally {
      await parrot.stop();
      await rm(folder, { recursive: true });
    }
  });
});
