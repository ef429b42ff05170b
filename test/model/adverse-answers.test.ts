import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelRequest, ModelTool, OpaquePart } from '../../src/model/port.ts';
import { ask, modelError } from './ask.ts';
import { completion, functionCall, response, said } from './bodies.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());

const tools: ModelTool[] = [
  { name: 'refund', description: 'pays money back', parameters: { type: 'object' } },
];

const events = (...data: (object | string)[]) =>
  data
    .map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`)
    .join('');
const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
});
const callPiece = { index: 0, id: 'a', function: { name: 'refund', arguments: '{"order":"1"}' } };

function streams(text: string) {
  endpoint.answer((reply) =>
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(text),
  );
}

/** What a run must not go on with. */
describe('half an answer is none: an event stream', () => {
  test.each<[string, string]>([
    ['with neither a reason nor [DONE]', events(chunk({ content: 'Your refund was ' }))],
    [
      'cut in its last event',
      `${events(chunk({ content: 'Half ' }))}data: {"choices":[{"delta":{"con`,
    ],
    ['cut between two calls', events(chunk({ tool_calls: [callPiece] }))],
    [
      'with an error after its first words',
      events(
        chunk({ content: 'Half' }),
        { error: { message: 'upstream died', code: 500 } },
        '[DONE]',
      ),
    ],
    [
      'with an error after its first call',
      events(chunk({ tool_calls: [callPiece] }), { error: { message: 'upstream died' } }),
    ],
    [
      'with an event that is no JSON in its middle',
      events(
        chunk({ content: 'Do ' }),
        '{"choices":[{"index":0,"delta":{"content":"not "',
        chunk({ content: 'pay.' }),
        chunk({}, 'stop'),
        '[DONE]',
      ),
    ],
  ])('%s', async (_name, text) => {
    streams(text);
    const error = await modelError(ask(endpoint.url, { tools }));
    expect(error.retryable).toBe(true);
  });
});

describe('half an answer is none: JSON', () => {
  test('with an error beside half a text', async () => {
    const error = { message: 'upstream died', code: 502 };
    endpoint.reply(200, completion({ content: 'Half' }, null, { error }));
    await modelError(ask(endpoint.url, { tools }));
  });

  test('of Responses without a status that says why it is incomplete', async () => {
    endpoint.reply(
      200,
      response([said('Half')], {
        status: undefined,
        incomplete_details: { reason: 'max_output_tokens' },
      }),
    );
    await modelError(ask(endpoint.url, { tools }, {}, { api: 'responses' }));
  });

  test('of Responses that is incomplete, and gives a reason that sounds whole', async () => {
    endpoint.reply(
      200,
      response([said('Half')], { status: 'incomplete', incomplete_details: { reason: 'stop' } }),
    );
    await modelError(ask(endpoint.url, { tools }, {}, { api: 'responses' }));
  });
});

describe('a call that is lost is no final answer', () => {
  test('a legacy function_call beside a text', async () => {
    const function_call = { name: 'refund', arguments: '{}' };
    endpoint.reply(200, completion({ content: 'Let me do that.', function_call }, 'function_call'));
    expect(await modelError(ask(endpoint.url, { tools }))).toMatchObject({
      code: 'model.bad_answer',
    });
  });

  test('the reason tool_calls, and a text without calls', async () => {
    endpoint.reply(200, completion({ content: 'Let me do that.' }, 'tool_calls'));
    expect(await modelError(ask(endpoint.url, { tools }))).toMatchObject({
      code: 'model.bad_answer',
    });
  });
});

/** They come out as a `RangeError`: asked for as often as the policy has attempts, and not counted. */
describe('what is nested or repeated too deeply is a ModelError, and is counted', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const usage = '"usage":{"prompt_tokens":7,"completion_tokens":3}';
  test.each<[string, string]>([
    [
      'thoughts',
      `{"choices":[{"message":{"content":"ok","reasoning_details":${nested(5_000)}},"finish_reason":"stop"}],${usage}}`,
    ],
    [
      'arguments as an object',
      `{"choices":[{"message":{"tool_calls":[{"id":"a","function":{"name":"refund","arguments":{"a":${nested(5_000)}}}}]},"finish_reason":"tool_calls"}],${usage}}`,
    ],
    ['an error', `${'{"error":'.repeat(20_000)}1${'}'.repeat(20_000)}`],
    [
      'empty thinking',
      JSON.stringify(completion({ content: `${'<think></think>'.repeat(20_000)}ok` }, 'stop')),
    ],
  ])('%s', async (_name, body) => {
    endpoint.answer((reply) =>
      reply.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    // One that can be read after all is as good.
    const end = await ask(endpoint.url, { tools }).catch((error: unknown) => error);
    expect(end).not.toBeInstanceOf(RangeError);
  });
});

describe('a message shows neither secrets nor what came with a turn', () => {
  const part = (dialect: string, data: OpaquePart['data']): OpaquePart => ({
    dialect,
    origin: new URL(endpoint.url).origin,
    model: 'scripted',
    data,
  });
  const conversation = (opaque: OpaquePart): ModelRequest['messages'] => [
    { role: 'user', content: 'hello' },
    {
      role: 'assistant',
      content: null,
      calls: [{ id: 'call_1_0', name: 'refund', arguments: '{}' }],
      opaque,
    },
    { role: 'tool', callId: 'call_1_0', content: 'done' },
  ];

  test('where an endpoint says what it got, as FastAPI does with a 422', async () => {
    endpoint.answer((reply, { body }) => {
      const { messages = [] } = body as { messages?: unknown[] };
      const input = messages[1];
      const detail = [
        { type: 'extra_forbidden', loc: ['body', 'messages', 1], msg: 'Extra', input },
      ];
      reply.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ detail }));
    });
    const messages = conversation(part('deepseek', { reasoning_content: 'planted-thoughts' }));
    const error = await modelError(ask(endpoint.url, { messages }, {}, { dialect: 'deepseek' }));
    expect(error.message).not.toContain('planted-thoughts');
  });

  test('where an endpoint says which encrypted thought it means', async () => {
    endpoint.answer((reply, { body }) => {
      const { input = [] } = body as { input?: unknown[] };
      const message = `Invalid value: ${JSON.stringify(input[1])}`;
      reply
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message } }));
    });
    const items = [
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'planted-encrypted' },
      functionCall('refund', '{}') as never,
    ];
    const messages = conversation(part('responses', items));
    const error = await modelError(ask(endpoint.url, { messages }, {}, { api: 'responses' }));
    expect(error.message).not.toContain('planted-encrypted');
  });

  test('the token of an Authorization header of OPENAI_CUSTOM_HEADERS, without its scheme', async () => {
    endpoint.reply(401, { error: { message: 'no such user: planted-token-4711' } });
    const headers = { Authorization: 'Bearer planted-token-4711' };
    const error = await modelError(ask(endpoint.url, {}, {}, { headers }));
    expect(error.message).not.toContain('planted-token-4711');
  });
});

test('a thought with a text that is none is a ModelError, or read', async () => {
  const content = [
    { type: 'thinking', thinking: [], text: 5 },
    { type: 'text', text: 'ok' },
  ];
  endpoint.reply(200, completion({ content }, 'stop'));
  const end = await ask(endpoint.url, { tools }).catch((error: unknown) => error);
  expect((end as Error).name).not.toBe('ZodError');
});

test('an API key that no header can hold is told as that, not as a broken connection', async () => {
  const call = async () => ask(endpoint.url, {}, {}, { apiKey: 'ключ-0123456789' });
  await expect(call()).rejects.toMatchObject({ message: expect.stringMatching(/OPENAI_API_KEY/) });
});

test('calls of Responses that the endpoint names alike go back with names that differ', async () => {
  const calls = [
    functionCall('refund', '{"order":"1"}', 'same'),
    functionCall('refund', '{"order":"2"}', 'same'),
  ];
  endpoint.reply(200, response(calls));
  const first = await ask(endpoint.url, { tools }, {}, { api: 'responses' });
  const named = first.calls.map((call, index) => ({ ...call, id: `call_1_${index}` }));
  await ask(
    endpoint.url,
    {
      tools,
      messages: [
        { role: 'user', content: 'hello' },
        {
          role: 'assistant',
          content: null,
          calls: named,
          ...(first.opaque ? { opaque: first.opaque } : {}),
        },
        { role: 'tool', callId: 'call_1_0', content: 'one' },
        { role: 'tool', callId: 'call_1_1', content: 'two' },
      ],
    },
    {},
    { api: 'responses' },
  );
  const { input = [] } = (endpoint.received.at(-1)?.body ?? {}) as {
    input?: { type?: string; call_id: string }[];
  };
  const ids = input
    .filter(({ type }) => type === 'function_call_output')
    .map(({ call_id }) => call_id);
  expect(new Set(ids).size).toBe(2);
});

/** Each on a server of its own: while the process stands still, idle connections end. */
describe('an answer does not stop the worker:', () => {
  let fresh: Endpoint;
  beforeEach(async () => {
    fresh = await startEndpoint();
  });
  afterEach(() => fresh.stop());

  // What grows faster than its input would not end here within the net of a test.
  test('words of an error that are nearly those of a foreign part', async () => {
    fresh.reply(400, { error: { message: 'encrypted content '.repeat(200_000) } });
    expect(await modelError(ask(fresh.url))).toMatchObject({ code: 'model.rejected' });
  });

  test('blanks after an opening fence', async () => {
    fresh.reply(200, completion({ content: `\`\`\`\n${' '.repeat(100_000)}x` }, 'stop'));
    expect(await ask(fresh.url, { tools })).toMatchObject({ finish: 'stop' });
  });
});
