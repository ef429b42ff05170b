import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startScriptedModel } from '../../src/dev/scripted-model/server.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import type { ModelMessage } from '../../src/model/port.ts';
import { API_KEY, ask, context, request } from './ask.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());

const completion = (message: object, finish_reason: string, more: object = {}) => ({
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  ...more,
});

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
      'idempotency-key': 's:t2.model',
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

describe('an answer', () => {
  test.each([
    [
      'text',
      completion({ content: 'hi' }, 'stop', { model: 'gpt-5-mini-2025-08-07' }),
      { model: 'gpt-5-mini-2025-08-07', content: 'hi', calls: [], finish: 'stop' },
    ],
    [
      'calls',
      completion({ content: null, tool_calls: [call('echo', '{"a":1}')] }, 'tool_calls'),
      {
        content: null,
        calls: [{ id: 'c1', name: 'echo', arguments: '{"a":1}' }],
        finish: 'tool_calls',
      },
    ],
    [
      'calls with the reason stop',
      completion({ content: 'wait', tool_calls: [call('echo', '{')] }, 'stop'),
      {
        content: 'wait',
        calls: [{ id: 'c1', name: 'echo', arguments: '{' }],
        finish: 'tool_calls',
      },
    ],
    [
      'a call without id and arguments',
      completion({ tool_calls: [call('echo', undefined, null)] }, 'tool_calls'),
      { calls: [{ id: '', name: 'echo', arguments: '' }], finish: 'tool_calls' },
    ],
    ['an empty text', completion({ content: '' }, 'stop'), { content: '', finish: 'stop' }],
    [
      'tool_calls: null',
      completion({ content: 'x', tool_calls: null }, 'stop'),
      { calls: [], finish: 'stop' },
    ],
    [
      'the reason tool_calls without calls',
      completion({ content: 'x' }, 'tool_calls'),
      { finish: 'stop' },
    ],
    ['a cut text', completion({ content: 'ha' }, 'length'), { content: 'ha', finish: 'length' }],
    [
      'nothing before the limit',
      completion({ content: null }, 'length'),
      { content: null, finish: 'length' },
    ],
    [
      'cut calls',
      completion({ tool_calls: [call('echo', '{"a"')] }, 'length'),
      { finish: 'length' },
    ],
    [
      'a content filter',
      completion({ content: null }, 'content_filter'),
      { finish: 'content_filter' },
    ],
    [
      'a refusal',
      completion({ content: null, refusal: 'I cannot.' }, 'stop'),
      { content: 'I cannot.', finish: 'content_filter' },
    ],
    ['an unknown reason', completion({ content: 'x' }, 'eos'), { content: 'x', finish: 'other' }],
  ])('may be %s', async (_what, body, expected) => {
    endpoint.reply(200, body);
    expect(await ask(endpoint.url)).toMatchObject({
      model: 'scripted',
      usage: { inputTokens: 7, outputTokens: 3 },
      ...expected,
    });
  });

  test.each([
    ['missing', undefined],
    ['null', null],
    ['negative', { prompt_tokens: -1, completion_tokens: 3 }],
    ['half', { prompt_tokens: 1 }],
  ])('whose usage is %s has an unknown usage, not none', async (_what, usage) => {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop', { usage }));
    expect(await ask(endpoint.url)).toMatchObject({ content: 'hi', usage: null });
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
    expect(counters).toMatchObject({
      requests: 2,
      byToken: { 'scope:t1.model': 1, 'scope:t2.model': 1 },
    });
  } finally {
    await scripted.stop();
  }
});
