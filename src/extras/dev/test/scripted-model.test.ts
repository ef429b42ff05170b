import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { z } from 'zod';
import { fault } from '../scripted-model/fault.ts';
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
  await fetch(`${control}/faults`, { method: 'DELETE' });
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

/** The bare answer, for what the client library hides. */
function post(messages: Message[], more: object = {}, signal?: AbortSignal): Promise<Response> {
  return fetch(`${model.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'some-model', messages, ...more }),
    ...(signal ? { signal } : {}),
  });
}

async function setFaults(faults: object[], match?: string): Promise<void> {
  const response = await postJson('/faults', { faults, ...(match === undefined ? {} : { match }) });
  expect(response.status).toBe(200);
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

  test('plays its fault as often as it says for each token, then answers', async () => {
    const messages = [
      user({ script: [{ say: 'at last', fault: { kind: 'status', status: 503, times: 2 } }] }),
    ];
    for (const token of ['a', 'b']) {
      await expect(ask(messages, token)).rejects.toMatchObject({ status: 503 });
      await expect(ask(messages, token)).rejects.toMatchObject({ status: 503 });
      expect((await ask(messages, token)).choices[0]?.message.content).toBe('at last');
    }
  });
});

describe('streaming', () => {
  test('gives the same message, the usage chunk and the end mark', async () => {
    const script = { script: [{ calls: [{ name: 'echo', arguments: { text: 'x'.repeat(80) } }] }] };
    const whole = await ask([user(script)]);
    const stream = openai.chat.completions.stream({
      model: 'some-model',
      messages: [user(script)],
      tools: [ECHO],
      stream_options: { include_usage: true },
    });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message).toMatchObject(choiceOf(whole).message);
    expect(streamed.choices[0]?.finish_reason).toBe('tool_calls');
    expect(streamed.usage).toEqual(whole.usage);
  });

  test('has no usage chunk unless it is asked for', async () => {
    const text = await (await post([user('hello')], { stream: true })).text();
    expect(text).toMatch(/\ndata: \[DONE\]\n\n$/);
    expect(text).not.toContain('"usage"');
  });
});

describe('counters', () => {
  test('count requests, by token where there is one, failed ones included', async () => {
    await ask([user('one')], 'scope:t1.model');
    await setFaults([{ kind: 'status', status: 500 }]);
    await expect(ask([user('one')], 'scope:t1.model')).rejects.toThrow();
    await ask([user('two')]);
    const counters: unknown = await (await fetch(`${control}/counters`)).json();
    expect(counters).toEqual({
      requests: 3,
      byToken: { 'scope:t1.model': 2 },
      byKey: { 'scope:t1.model': 2 },
      replayed: 0,
    });
  });
});

describe('faults', () => {
  test.each([
    ['ms', 'retry-after-ms', /^1500$/],
    ['seconds', 'retry-after', /^1\.5$/],
    ['date', 'retry-after', /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/],
  ])('rate limit with Retry-After as %s', async (retryAfter, header, value) => {
    await setFaults([{ kind: 'rate-limit', retryAfter, waitMs: 1500 }]);
    const response = await post([user('hello')]);
    expect(response.status).toBe(429);
    expect(response.headers.get(header)).toMatch(value);
    expect((await post([user('hello')])).status).toBe(200);
  });

  test('rate limit without Retry-After', async () => {
    await setFaults([{ kind: 'rate-limit', retryAfter: 'none' }]);
    const response = await post([user('hello')]);
    expect(response.status).toBe(429);
    expect([...response.headers.keys()].filter((name) => name.startsWith('retry'))).toEqual([]);
  });

  test('an account without credit', async () => {
    await setFaults([{ kind: 'insufficient-quota' }]);
    await expect(ask([user('hello')])).rejects.toMatchObject({
      status: 429,
      code: 'insufficient_quota',
    });
  });

  test('any status, with headers and body', async () => {
    await setFaults([
      { kind: 'status', status: 400, headers: { 'x-should-retry': 'true' }, body: { a: 1 } },
    ]);
    const response = await post([user('hello')]);
    expect(response.status).toBe(400);
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(await response.json()).toEqual({ a: 1 });
  });

  test('broken half-way through the body', async () => {
    await setFaults([{ kind: 'break' }]);
    const response = await post([user('hello')]);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test('dropped before a byte', async () => {
    await setFaults([{ kind: 'drop' }]);
    await expect(post([user('hello')])).rejects.toThrow('fetch failed');
  });

  test.each(['hang', 'hang-in-body'])('%s, until the client goes', async (kind) => {
    await setFaults([{ kind }]);
    const signal = AbortSignal.timeout(300);
    const reading = post([user('hello')], {}, signal).then((response) => response.text());
    await expect(reading).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await post([user('hello')])).status).toBe(200);
  });

  test('JSON that ends early, a page, an empty object', async () => {
    await setFaults([{ kind: 'malformed-json' }, { kind: 'html' }, { kind: 'empty-object' }]);
    await expect((await post([user('hello')])).json()).rejects.toMatchObject({
      name: 'SyntaxError',
    });
    const page = await post([user('hello')]);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await (await post([user('hello')])).json()).toEqual({});
  });

  test.each([
    ['unknown-tool', { name: 'tool_that_does_not_exist', arguments: '{}' }],
    ['wrong-arguments', { name: 'echo', arguments: '{"no_such_argument":true}' }],
  ])('%s', async (kind, call) => {
    await setFaults([{ kind }]);
    const answer = await ask([user('hello')]);
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([{ function: call }]);
  });

  test('answers that end badly', async () => {
    const script = user({
      script: [{ say: 'abcdef', calls: [{ name: 'echo', arguments: { a: 1 } }] }],
    });
    await setFaults([
      { kind: 'truncated' },
      { kind: 'content-filter' },
      { kind: 'refusal' },
      { kind: 'several-calls' },
      { kind: 'malformed-arguments' },
    ]);
    const next = async () => choiceOf(await ask([script]));
    expect(await next()).toMatchObject({
      finish_reason: 'length',
      message: { content: 'abc', tool_calls: [{ function: { arguments: '{"a"' } }] },
    });
    expect(await next()).toMatchObject({
      finish_reason: 'content_filter',
      message: { content: null },
    });
    expect((await next()).message.refusal).toMatch(/./);
    expect((await next()).message.tool_calls).toHaveLength(2);
    const [call] = (await next()).message.tool_calls ?? [];
    expect(() => JSON.parse(call?.type === 'function' ? call.function.arguments : '{}')).toThrow();
  });

  test('wait for a conversation that has their text', async () => {
    await setFaults([{ kind: 'status', status: 500 }], 'unlucky');
    expect((await post([user('lucky')])).status).toBe(200);
    expect((await post([user('an unlucky one')])).status).toBe(500);
    expect((await post([user('an unlucky one')])).status).toBe(200);
  });

  test('are refused when they are unknown', async () => {
    const response = await postJson('/faults', { faults: [{ kind: 'earthquake' }] });
    expect(response.status).toBe(400);
    expect(await (await fetch(`${control}/faults`)).json()).toEqual({ faults: [] });
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

  test('names every kind of fault where it says what it is', async () => {
    const about = await (await fetch(control)).text();
    const kinds = [
      ...JSON.stringify(z.toJSONSchema(fault)).matchAll(/"(?:const|enum)":(\[.*?\]|".*?")/g),
    ]
      .flatMap(([, value]) => JSON.parse(value ?? '') as string | string[])
      .filter((kind) => !['always', 'ms', 'seconds', 'date', 'none'].includes(kind));
    expect(kinds.length).toBeGreaterThan(20);
    for (const kind of kinds) expect(about).toContain(kind);
  });

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
