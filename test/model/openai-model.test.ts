import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startScriptedModel } from '../../src/extras/dev/scripted-model/server.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import type { ModelCallContext, ModelMessage, ModelRequest } from '../../src/model/port.ts';
import { API_KEY, ask, context, modelError, request } from './ask.ts';
import { completion } from './bodies.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());

const call = (name: string, args?: string, id: string | null = 'c1') => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

describe('configuration', () => {
  test('without a base URL and a key is refused', () => {
    expect(() => createOpenAiModel({})).toThrow(
      expect.objectContaining({
        code: 'config.invalid',
        message: expect.stringMatching(/OPENAI_API_KEY.*OPENAI_BASE_URL/),
      }),
    );
  });

  test.each(['not a url', 'ftp://host/v1', '127.0.0.1:8000', 'http://user:hunter2@host/v1'])(
    'with the base URL %s is refused, without repeating it',
    (baseUrl) => {
      expect(() => createOpenAiModel({ baseUrl })).toThrow(
        expect.objectContaining({
          code: 'config.invalid',
          message: expect.not.stringContaining('hunter2'),
        }),
      );
    },
  );

  test('with a base URL needs no key', async () => {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop'));
    const model = createOpenAiModel({ baseUrl: endpoint.url });
    await expect(model.complete(request, context())).resolves.toMatchObject({ content: 'hi' });
  });
});

describe('a request', () => {
  async function sent(
    ...asked: Parameters<typeof ask> extends [string, ...infer Rest] ? Rest : []
  ) {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop'));
    await ask(endpoint.url, ...asked);
    const last = endpoint.received.at(-1);
    if (!last) throw new Error('Nothing was sent.');
    return last;
  }

  test('carries the token, the run and the key in its headers', async () => {
    const { url, headers } = await sent({}, { token: 's:t2.model', workflowId: 'agent-a-k1' });
    expect(url).toBe('/v1/chat/completions');
    expect(headers).toMatchObject({
      'idempotency-key': expect.stringMatching(/^s:t2\.model~[0-9a-f]{12}$/),
      'x-agent-run-id': 'agent-a-k1',
      authorization: `Bearer ${API_KEY}`,
    });
  });

  test('has only what was asked for', async () => {
    const { body } = await sent();
    expect(body).toEqual({ model: 'scripted', messages: [{ role: 'user', content: 'hello' }] });
  });

  test('has tools and limits', async () => {
    const parameters = { type: 'object', properties: {} };
    const tool = { name: 'echo', description: 'says it again', parameters };
    const { body } = await sent({ tools: [tool], maxOutputTokens: 99, temperature: 0 });
    expect(body).toMatchObject({
      tools: [{ type: 'function', function: tool }],
      max_completion_tokens: 99,
      temperature: 0,
    });
  });

  test('has the whole conversation, with mistakes made fit to be sent back', async () => {
    const messages: ModelMessage[] = [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        calls: [
          { id: 'c0', name: 'echo', arguments: '{"text": "a"}' },
          { id: 'c1', name: 'functions.no such/tool', arguments: '{"order": 10' },
          { id: 'c2', name: '', arguments: '' },
        ],
      },
      { role: 'tool', callId: 'c0', content: 'a' },
      { role: 'tool', callId: 'c1', content: 'no' },
      { role: 'tool', callId: 'c2', content: 'no' },
      { role: 'assistant', content: null, calls: [] },
    ];
    const { body } = await sent({ messages });
    expect(body['messages']).toEqual([
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          call('echo', '{"text": "a"}', 'c0'),
          call('functions_no_such_tool', '{"unreadable":"{\\"order\\": 10"}', 'c1'),
          call('_', '{}', 'c2'),
        ],
      },
      { role: 'tool', tool_call_id: 'c0', content: 'a' },
      { role: 'tool', tool_call_id: 'c1', content: 'no' },
      { role: 'tool', tool_call_id: 'c2', content: 'no' },
      { role: 'assistant', content: '' },
    ]);
  });
});

describe('the token of a request', () => {
  const keyOf = async (
    asked: Partial<ModelRequest> = {},
    changes: Partial<ModelCallContext> = {},
  ): Promise<string> => {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop'));
    await ask(endpoint.url, asked, changes);
    return String(endpoint.received.at(-1)?.headers['idempotency-key']);
  };

  test('is the same in every attempt of the same request', async () => {
    expect(await keyOf()).toBe(await keyOf());
  });

  test('is another one in another round, of another body, of another step', async () => {
    const keys = [
      await keyOf(),
      await keyOf({}, { round: 1 }),
      await keyOf({ temperature: 0.5 }),
      await keyOf({ messages: [{ role: 'user', content: 'other' }] }),
      await keyOf({}, { token: 'scope:t2.model' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is another one at another endpoint', async () => {
    const other = await startEndpoint();
    try {
      const own = await keyOf();
      other.reply(200, completion({ content: 'hi' }, 'stop'));
      await ask(other.url);
      expect(other.received.at(-1)?.headers['idempotency-key']).not.toBe(own);
    } finally {
      await other.stop();
    }
  });
});

describe('custom headers', () => {
  test.each([
    ['the word that is the credential', 'Bearer planted-4711-xyz', 'wrong token planted-4711-xyz'],
    ['a value within JSON', 'a"planted-4711', 'got {"x":"a\\"planted-4711"}'],
    ['what begins with the key', `${API_KEY}-planted-4711`, `got ${API_KEY}-planted-4711`],
  ])('stand in no error, nor does %s', async (_what, value, message) => {
    endpoint.reply(400, { error: { message } });
    const model = createOpenAiModel({
      baseUrl: endpoint.url,
      apiKey: API_KEY,
      headers: { 'X-Auth': value },
    });
    const error = await modelError(model.complete(request, context()));
    expect(error.message).not.toContain('4711');
  });

  test('are sent, and stand in no error that the endpoint echoes', async () => {
    const secret = 'team-secret-4711';
    endpoint.reply(400, { error: { message: `bad header ${secret} with ${API_KEY}` } });
    const model = createOpenAiModel({
      baseUrl: endpoint.url,
      apiKey: API_KEY,
      headers: { 'X-Team': secret },
    });
    const { message } = await modelError(model.complete(request, context()));
    expect(endpoint.received.at(-1)?.headers['x-team']).toBe(secret);
    expect(message).toMatch(/bad header \[redacted\] with \[redacted\]/);
  });
});

test('the scripted model answers over the same wire', async () => {
  const scripted = await startScriptedModel();
  try {
    const script = [{ calls: [{ name: 'echo', arguments: { text: 'a' } }] }, { say: 'done' }];
    const user: ModelMessage = { role: 'user', content: JSON.stringify({ script }) };
    const first = await ask(scripted.url, { messages: [user] });
    expect(first).toMatchObject({
      content: null,
      calls: [{ name: 'echo', arguments: '{"text":"a"}' }],
      finish: 'tool_calls',
    });
    expect(first.usage?.inputTokens).toBeGreaterThan(0);

    const messages: ModelMessage[] = [
      user,
      { role: 'assistant', content: first.content, calls: first.calls },
      ...first.calls.map(({ id }) => ({ role: 'tool' as const, callId: id, content: 'a' })),
    ];
    const second = await ask(scripted.url, { messages }, { token: 'scope:t2.model' });
    expect(second).toMatchObject({ content: 'done', calls: [], finish: 'stop' });

    const counters = await (await fetch(new URL('/counters', scripted.url))).json();
    expect(counters).toMatchObject({ requests: 2 });
  } finally {
    await scripted.stop();
  }
});
