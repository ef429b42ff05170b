import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { startModel } from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;
let control: string;
let openai: OpenAI;

beforeAll(async () => {
  model = await startModel();
  control = model.url.replace(/\/v1$/, '');
  openai = new OpenAI({ baseURL: model.url, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => model.stop());
beforeEach(async () => {
  await fetch(`${control}/faults`, { method: 'DELETE' });
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

describe('a fault that was ordered', () => {
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

describe('a fault in a script', () => {
  test('is played as often as it says for each token, then the script answers', async () => {
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
