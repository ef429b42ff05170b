import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelReply, ModelTool } from '../../src/model/port.ts';
import { ask, modelError } from './ask.ts';
import { completion, functionCall, response, said, thought, toolCall } from './bodies.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());

const tools: ModelTool[] = [
  { name: 'echo', description: 'says it again', parameters: { type: 'object' } },
];
const USAGE = { inputTokens: 7, outputTokens: 3 };

const askChat = () => ask(endpoint.url, { tools });
const askResponses = () => ask(endpoint.url, { tools }, {}, { api: 'responses' });

type Expected = Partial<ModelReply>;

describe('a chat completion', () => {
  test.each<[string, object, Expected]>([
    [
      'text',
      completion({ content: 'hi' }, 'stop', { model: 'gpt-6-luna-2026-09-01' }),
      { model: 'gpt-6-luna-2026-09-01', content: 'hi', calls: [], finish: 'stop' },
    ],
    [
      'calls',
      completion({ content: null, tool_calls: [toolCall('echo', '{"a":1}')] }, 'tool_calls'),
      {
        content: null,
        calls: [{ id: 'c1', name: 'echo', arguments: '{"a":1}' }],
        finish: 'tool_calls',
      },
    ],
    [
      'calls with the reason stop',
      completion({ content: 'wait', tool_calls: [toolCall('echo', '{')] }, 'stop'),
      {
        content: 'wait',
        calls: [{ id: 'c1', name: 'echo', arguments: '{' }],
        finish: 'tool_calls',
      },
    ],
    [
      'calls beside an empty text',
      completion({ content: '', tool_calls: [toolCall('echo', '{}')] }, 'tool_calls'),
      { finish: 'tool_calls' },
    ],
    [
      'a call without id and arguments',
      completion({ tool_calls: [toolCall('echo', undefined, null)] }, 'tool_calls'),
      { calls: [{ id: '', name: 'echo', arguments: '' }] },
    ],
    [
      'arguments as an object',
      completion({ tool_calls: [toolCall('echo', { text: 'a' })] }, 'tool_calls'),
      { calls: [{ id: 'c1', name: 'echo', arguments: '{"text":"a"}' }] },
    ],
    ['tool_calls: null', completion({ content: 'x', tool_calls: null }, 'stop'), { calls: [] }],
    ['the reason null', completion({ content: 'x' }, null), { content: 'x', finish: 'stop' }],
    ['the reason eos', completion({ content: 'x' }, 'eos'), { content: 'x', finish: 'stop' }],
    [
      'text in parts',
      completion(
        {
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        'stop',
      ),
      { content: 'ab' },
    ],
    [
      'thoughts and text in parts',
      completion(
        {
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
            { type: 'text', text: 'b' },
          ],
        },
        'stop',
      ),
      { content: 'b' },
    ],
    [
      'thinking before the text',
      completion({ content: '<think>hm</think>\n\nb' }, 'stop'),
      { content: 'b' },
    ],
    [
      'thinking that began in the prompt',
      completion({ content: 'hm\n</think>\n\nb' }, 'stop'),
      { content: 'b' },
    ],
    [
      'a text about the tag of thinking',
      completion({ content: 'The tag </think> ends it.' }, 'stop'),
      { content: 'The tag </think> ends it.' },
    ],
    [
      'a text about calls, that names a tool',
      completion(
        { content: 'A call begins with <tool_call>; then comes JSON. Use echo for it.' },
        'stop',
      ),
      { content: 'A call begins with <tool_call>; then comes JSON. Use echo for it.' },
    ],
    [
      'a call of another kind, which goes back to the model',
      completion(
        { tool_calls: [{ id: 'x', type: 'custom', custom: { name: 'a' } }] },
        'tool_calls',
      ),
      { calls: [{ id: 'x', name: '', arguments: '' }] },
    ],
    [
      'arguments as a list, which go back to the model',
      completion({ tool_calls: [toolCall('echo', [1])] }, 'tool_calls'),
      { calls: [{ id: 'c1', name: 'echo', arguments: '[1]' }] },
    ],
    [
      'JSON about something else than a tool',
      completion({ content: '{"name":"echo chamber","arguments":{}}' }, 'stop'),
      { content: '{"name":"echo chamber","arguments":{}}' },
    ],
  ])('may be %s', async (_what, body, expected) => {
    endpoint.reply(200, body);
    expect(await askChat()).toMatchObject({ model: 'scripted', usage: USAGE, ...expected });
  });

  test.each([
    ['missing', undefined],
    ['null', null],
    ['negative', { prompt_tokens: -1, completion_tokens: 3 }],
    ['half', { prompt_tokens: 1 }],
  ])('whose usage is %s has an unknown usage, not none', async (_what, usage) => {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop', { usage }));
    expect(await askChat()).toMatchObject({ content: 'hi', usage: null });
  });

  test('is read whatever type it says to be of', async () => {
    endpoint.reply(200, JSON.stringify(completion({ content: 'hi' }, 'stop')), {
      'content-type': 'text/plain',
    });
    expect(await askChat()).toMatchObject({ content: 'hi', usage: USAGE });
  });

  test('is read from an event stream that nobody asked for, in its pieces', async () => {
    const chunk = (delta: object, finish_reason: string | null = null) => ({
      model: 'scripted',
      choices: [{ index: 0, delta, finish_reason }],
    });
    const events = [
      chunk({ role: 'assistant', content: null, reasoning_content: 'let me ' }),
      chunk({ reasoning_content: 'see' }),
      chunk({
        tool_calls: [
          { index: 0, id: 'c9', type: 'function', function: { name: 'echo', arguments: '' } },
        ],
      }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"text":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '"a"}' } }] }),
      chunk({}, 'tool_calls'),
      { model: 'scripted', choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } },
    ];
    const text = [...events.map((event) => JSON.stringify(event)), '[DONE]']
      .map((data) => `data: ${data}\n\n`)
      .join('');
    endpoint.reply(200, `: keep-alive\n\n${text}`, { 'content-type': 'text/event-stream' });
    expect(await askChat()).toMatchObject({
      calls: [{ id: 'c9', name: 'echo', arguments: '{"text":"a"}' }],
      opaque: { data: { reasoning_content: 'let me see' } },
      usage: USAGE,
    });
  });
});

/** Events as a stream of them is sent. */
const stream = (events: unknown[], end = ''): string =>
  `${events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join('')}${end}`;
const piece = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  choices: [{ index: 0, delta, finish_reason, ...more }],
});
const asStream = { 'content-type': 'text/event-stream' };

describe('an event stream that nobody asked for', () => {
  const half = [piece({ content: 'Half ' }), piece({ content: 'a text' })];

  test.each<[string, string, 'chat' | 'responses']>([
    ['a text', stream(half), 'chat'],
    [
      'a call that happens to be JSON',
      stream([
        piece({ tool_calls: [{ index: 0, id: 'a', function: { name: 'echo', arguments: '{}' } }] }),
      ]),
      'chat',
    ],
    [
      'a response',
      stream([
        { type: 'response.created', response: { status: 'in_progress', output: [] } },
        { type: 'response.output_text.delta', delta: 'Half' },
      ]),
      'responses',
    ],
  ])(
    'is no answer where it breaks off in %s: the same request is sent again',
    async (_what, text, api) => {
      endpoint.reply(200, text, asStream);
      const error = await modelError(ask(endpoint.url, { tools }, {}, { api }));
      expect(error).toMatchObject({ code: 'model.broken_off', retryable: true });
      // No whole answer was read: the request keeps its token.
      expect(error.answered).toBeUndefined();
    },
  );

  test('is whole without a reason where it says that it is done', async () => {
    endpoint.reply(200, stream(half, 'data: [DONE]\n\n'), asStream);
    expect(await askChat()).toMatchObject({ content: 'Half a text' });
  });

  test('keeps the reason that ended it', async () => {
    const events = [...half, piece({}, 'length'), piece({}, '')];
    endpoint.reply(200, stream(events, 'data: [DONE]\n\n'), asStream);
    expect(await modelError(askChat())).toMatchObject({ code: 'model.truncated' });
  });

  test.each<[string, string, 'chat' | 'responses']>([
    ['chat', stream([...half, { error: { code: 429, message: 'slow down' } }]), 'chat'],
    [
      'responses',
      stream([
        { type: 'response.created', response: { status: 'in_progress', output: [] } },
        { type: 'error', code: 'rate_limit_exceeded', message: 'slow down' },
      ]),
      'responses',
    ],
  ])('that ends in an error is that error: %s', async (_name, text, api) => {
    endpoint.reply(200, text, asStream);
    const error = await modelError(ask(endpoint.url, { tools }, {}, { api }));
    expect(error).toMatchObject({
      code: 'model.rate_limited',
      message: expect.stringContaining('slow down'),
    });
  });

  test('holds one choice, and calls that only their IDs tell apart', async () => {
    const call = (id: string, args: string) =>
      piece({ tool_calls: [{ index: 0, id, function: { name: 'echo', arguments: args } }] });
    const other = { choices: [{ index: 1, delta: { content: 'two' }, finish_reason: 'stop' }] };
    endpoint.reply(
      200,
      stream([
        piece({ content: 'one' }),
        other,
        call('a', '{"x":1}'),
        call('b', '{"y":2}'),
        piece({}, 'tool_calls'),
      ]),
      asStream,
    );
    expect(await askChat()).toMatchObject({
      content: 'one',
      calls: [
        { id: 'a', arguments: '{"x":1}' },
        { id: 'b', arguments: '{"y":2}' },
      ],
    });
  });

  test('holds thoughts as a list, and then text', async () => {
    const thinking = [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }];
    endpoint.reply(
      200,
      stream([piece({ content: thinking }), piece({ content: 'Hello' }), piece({}, 'stop')]),
      asStream,
    );
    expect(await askChat()).toMatchObject({
      content: 'Hello',
      opaque: { data: { content: [...thinking, { type: 'text', text: 'Hello' }] } },
    });
  });
});

describe('a response', () => {
  test.each<[string, object, Expected]>([
    ['text', response([thought('x'), said('hi')]), { content: 'hi', finish: 'stop' }],
    [
      'calls',
      response([
        thought('x'),
        functionCall('echo', '{"a":1}'),
        functionCall('echo', '{}', 'call_b'),
      ]),
      {
        content: null,
        calls: [
          { id: 'call_a', name: 'echo', arguments: '{"a":1}' },
          { id: 'call_b', name: 'echo', arguments: '{}' },
        ],
        finish: 'tool_calls',
      },
    ],
    [
      'an answer after a commentary',
      response([
        said('Looking …', { phase: 'commentary' }),
        said('done', { phase: 'final_answer' }),
      ]),
      { content: 'done' },
    ],
    [
      'a commentary beside calls',
      response([said('Looking …', { phase: 'commentary' }), functionCall('echo', '{}')]),
      { content: 'Looking …', finish: 'tool_calls' },
    ],
    [
      'an item of a kind of its own',
      response([{ type: 'web_search_call' }, said('hi')]),
      { content: 'hi' },
    ],
  ])('may be %s', async (_what, body, expected) => {
    endpoint.reply(200, body);
    expect(await askResponses()).toMatchObject({ model: 'scripted', usage: USAGE, ...expected });
  });

  test('is read from an event stream that nobody asked for', async () => {
    const events = [
      { type: 'response.created', response: response([], { status: 'in_progress' }) },
      { type: 'response.output_text.delta', delta: 'h' },
      { type: 'response.completed', response: response([said('hi')]) },
    ];
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    endpoint.reply(200, text.join(''), { 'content-type': 'text/event-stream' });
    expect(await askResponses()).toMatchObject({ content: 'hi', usage: USAGE });
  });
});

/** Code, and how many whole answers are asked for in all; `undefined`: it is not asked again. */
type Refused = [code: string, rounds: number | undefined];

describe('is no answer:', () => {
  const once: Refused = ['model.bad_answer', 2];
  test.each<[string, object, Refused]>([
    ['a cut text', completion({ content: 'ha' }, 'length'), ['model.truncated', undefined]],
    [
      'nothing before the limit',
      completion({ content: null }, 'length'),
      ['model.truncated', undefined],
    ],
    [
      'cut calls',
      completion({ tool_calls: [toolCall('echo', '{"a"')] }, 'length'),
      ['model.truncated', undefined],
    ],
    [
      'a full context',
      completion({ content: 'ha' }, 'model_length'),
      ['model.truncated', undefined],
    ],
    ['an error in the middle', completion({ content: 'ha' }, 'error'), ['model.incomplete', 3]],
    [
      'calls before an error',
      completion({ tool_calls: [toolCall('echo', '{}')] }, 'error'),
      ['model.incomplete', 3],
    ],
    [
      'a server without resources',
      completion({ content: 'ha' }, 'insufficient_system_resource'),
      ['model.incomplete', 3],
    ],
    ['an unknown reason', completion({ content: 'ha' }, 'because'), ['model.incomplete', 2]],
    [
      'a content filter',
      completion({ content: null }, 'content_filter'),
      ['model.refused', undefined],
    ],
    [
      'a filter, and no message at all',
      completion(undefined, 'content_filter: PROHIBITED_CONTENT'),
      ['model.refused', undefined],
    ],
    [
      'a refusal',
      completion({ content: null, refusal: 'I cannot.' }, 'stop'),
      ['model.refused', undefined],
    ],
    ['nothing', completion({ content: null }, 'stop'), ['model.bad_answer', 3]],
    ['a blank text', completion({ content: ' \n' }, 'stop'), ['model.bad_answer', 3]],
    ['thinking alone', completion({ content: '<think>hm' }, 'stop'), ['model.bad_answer', 3]],
    [
      'a legacy function_call',
      completion(
        { content: null, function_call: { name: 'echo', arguments: '{}' } },
        'function_call',
      ),
      ['model.bad_answer', 3],
    ],
    ['calls that were lost', completion({ content: 'x' }, 'tool_calls'), ['model.bad_answer', 3]],
    [
      'a legacy function_call beside a text',
      completion({ content: 'x', function_call: { name: 'echo', arguments: '{}' } }, 'stop'),
      ['model.bad_answer', 3],
    ],
    [
      'a call that the endpoint could not read',
      completion({ content: null }, 'function_call_filter: MALFORMED_FUNCTION_CALL'),
      ['model.bad_answer', 3],
    ],
    [
      'a call as text',
      completion({ content: '<tool_call>{"name":"echo","arguments":{}}</tool_call>' }, 'stop'),
      once,
    ],
    [
      'a call as text after some words',
      completion({ content: 'I call it: <tool_call>{"name":"echo"}</tool_call>' }, 'stop'),
      once,
    ],
    [
      'a call as JSON',
      completion({ content: '{"name":"echo","arguments":{"text":"a"}}' }, 'stop'),
      once,
    ],
    ...[
      '<tool_call>\n{"name": "echo", "arguments": {}}',
      '<function=echo>{"text":"a"}</function>',
      '[TOOL_CALLS]echo[ARGS]{"text":"a"}',
      '<|tool_call_begin|>functions.echo:0<|tool_call_argument_begin|>{}',
      '<|python_tag|>{"type":"function","name":"echo","parameters":{}}',
      '[{"function":{"name":"echo","arguments":{}}}]',
    ].map((content): [string, object, Refused] => [
      `a call as text: ${content}`,
      completion({ content }, 'stop'),
      once,
    ]),
    [
      'a call in a fence',
      completion({ content: '```json\n{"tool":"echo","parameters":{}}\n```' }, 'stop'),
      once,
    ],
    ['JSON that is something else', { hello: 'world', usage: completion({}, null).usage }, once],
  ])('%s', async (_what, body, [code, rounds]) => {
    endpoint.reply(200, body);
    const error = await modelError(askChat());
    expect(error).toMatchObject({ code, retryable: rounds !== undefined, rounds });
    expect(error.answered).toMatchObject({ model: 'scripted', usage: USAGE });
  });

  test.each<[string, object, Refused]>([
    [
      'a response at its limit',
      response([thought('x')], {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
      }),
      ['model.truncated', undefined],
    ],
    [
      'a response that a filter stopped',
      response([], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      ['model.refused', undefined],
    ],
    [
      'a response that failed',
      response([], { status: 'failed', error: { code: 'server_error', message: 'oh' } }),
      ['model.unavailable', 3],
    ],
    [
      'a response that a limit failed',
      response([], { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'oh' } }),
      ['model.rate_limited', 3],
    ],
    [
      'a response that refuses',
      response([said('', { content: [{ type: 'refusal', refusal: 'I cannot.' }] })]),
      ['model.refused', undefined],
    ],
    [
      'a response with half a call',
      response([{ ...functionCall('echo', '{"a"'), status: 'incomplete' }]),
      ['model.incomplete', 2],
    ],
    ['a response of thoughts alone', response([thought('x')]), ['model.bad_answer', 3]],
    ['a response that has not ended', response([], { status: 'in_progress' }), once],
  ])('%s', async (_what, body, [code, rounds]) => {
    endpoint.reply(200, body);
    const error = await modelError(askResponses());
    expect(error).toMatchObject({ code, retryable: rounds !== undefined });
    expect(error.rounds ?? Number.POSITIVE_INFINITY).toBe(rounds ?? Number.POSITIVE_INFINITY);
    expect(error.answered?.usage).toEqual(USAGE);
  });

  test('a refusal, whose words are told without secrets', async () => {
    endpoint.reply(200, completion({ refusal: 'I cannot use sk-abcdef123456.' }, 'stop'));
    const { message } = await modelError(askChat());
    expect(message).toMatch(/declined to answer\. It said: I cannot use \[redacted\]/);
  });
});

test('a fence with nothing but space in it takes no time', async () => {
  endpoint.reply(200, completion({ content: `\`\`\`json${'\n'.repeat(200_000)}x` }, 'stop'));
  expect(await askChat()).toMatchObject({ finish: 'stop' });
});

test('a web page says nothing about the request behind it, which keeps its token', async () => {
  endpoint.reply(200, '<!doctype html><h1>Gateway</h1>');
  const error = await modelError(askChat());
  expect(error).toMatchObject({ code: 'model.bad_answer', retryable: true, rounds: undefined });
  expect(error.answered).toBeUndefined();
});

describe('an error of status', () => {
  const refusal = (status: number, error: unknown, code: string, retryable: boolean) => ({
    status,
    error,
    code,
    retryable,
  });
  test.each([
    refusal(402, { message: 'no credit', code: 402 }, 'model.quota_exhausted', false),
    refusal(429, { code: 'exceeded_current_quota_error' }, 'model.quota_exhausted', false),
    refusal(
      400,
      { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } },
      'model.refused',
      false,
    ),
    refusal(
      400,
      { code: 'tool_use_failed', failed_generation: '<function=echo' },
      'model.bad_answer',
      true,
    ),
    refusal(
      409,
      { type: 'idempotency_error', message: 'The key was used with another body.' },
      'model.rejected',
      false,
    ),
    refusal(422, { code: 'idempotency_key_conflict' }, 'model.rejected', false),
    refusal(409, { code: 'idempotency_request_in_progress' }, 'model.unavailable', true),
    refusal(
      409,
      { message: 'A request with this Idempotency-Key is already being processed.' },
      'model.unavailable',
      true,
    ),
    refusal(409, { message: 'idempotency: already in flight' }, 'model.unavailable', true),
    refusal(
      409,
      { message: 'Idempotency-Key was used with a different payload.' },
      'model.rejected',
      false,
    ),
    refusal(409, { message: 'busy' }, 'model.unavailable', true),
  ])('$status with $error is $code', async ({ status, error, code, retryable }) => {
    endpoint.reply(status, { error });
    expect(await modelError(askChat())).toMatchObject({ code, retryable });
  });

  test('a body that is a list is read as the error in it', async () => {
    endpoint.reply(400, [
      { error: { code: 400, message: 'too long', status: 'INVALID_ARGUMENT' } },
    ]);
    expect(await modelError(askChat())).toMatchObject({
      code: 'model.rejected',
      message: 'The model endpoint answered 400. It said: too long',
    });
  });

  test('a body without a member "error" is read as well', async () => {
    endpoint.reply(422, { object: 'error', message: { detail: [{ loc: ['body', 'x'] }] } });
    expect((await modelError(askChat())).message).toMatch(/"loc":\["body","x"\]/);
  });

  test.each([
    ['Please retry in 10h17m20.5s.', 37_040_500],
    ['Rate limit reached. Please try again in 7m12.5s.', 432_500],
    ['Try again in 45 seconds', 45_000],
    ['Please try again in 120ms', 120],
    ['Please retry after 2 minutes', 120_000],
    ['Please wait 20 seconds and try again', 20_000],
    ['Please retry your request after 10 seconds.', 10_000],
    ['Try again in 1 minute and 30 seconds.', 90_000],
    ['Try again in 2 months.', undefined],
    ['Please try again later', undefined],
  ])('a wait in words is a wait: %s', async (message, expected) => {
    endpoint.reply(429, { error: { message } });
    const error = await modelError(askChat());
    expect(error).toMatchObject({ code: 'model.rate_limited', retryable: true });
    expect(error.retryAfterMs).toBe(expected);
  });

  test.each([
    [402, 'model.quota_exhausted', false],
    [429, 'model.rate_limited', true],
    [502, 'model.unavailable', true],
    [400, 'model.rejected', false],
  ])('%i that comes in a 200 is the same', async (code, expected, retryable) => {
    endpoint.reply(200, { error: { code, message: 'oh' } });
    const error = await modelError(askChat());
    expect(error).toMatchObject({ code: expected, retryable });
    // Whoever keeps answers by their key would give it for ever: the next request has another one.
    expect(error.answered).toBeDefined();
  });

  test.each<[object, string, boolean, number | undefined]>([
    [
      { code: 'context_length_exceeded', type: 'invalid_request_error' },
      'model.rejected',
      false,
      undefined,
    ],
    [{ code: null, type: 'insufficient_quota' }, 'model.quota_exhausted', false, undefined],
    [{ code: 'insufficient_balance' }, 'model.quota_exhausted', false, undefined],
    [{ code: 'invalid_api_key' }, 'model.rejected', false, undefined],
    [{ code: 'rate_limit_exceeded' }, 'model.rate_limited', true, undefined],
    [{ message: 'oh' }, 'model.unavailable', true, undefined],
  ])('that is named in a 200 is what its name says: %j', async (error, code, retryable, rounds) => {
    endpoint.reply(200, { error });
    expect(await modelError(askChat())).toMatchObject({ code, retryable, rounds });
  });

  test('beside half an answer takes its place, and is not paid for without end', async () => {
    const half = completion({ content: 'half' }, null);
    endpoint.reply(200, { ...half, error: { code: 502, message: 'gone' } });
    expect(await modelError(askChat())).toMatchObject({
      code: 'model.unavailable',
      rounds: 3,
      answered: { usage: USAGE },
    });
  });

  test('402 is not asked again, whatever the endpoint says', async () => {
    endpoint.reply(402, { error: { message: 'credit' } }, { 'x-should-retry': 'true' });
    expect(await modelError(askChat())).toMatchObject({ retryable: false });
  });

  test('that comes with a choice is the same', async () => {
    const { choices } = completion({ content: 'ha' }, 'error');
    endpoint.reply(200, { choices: [{ ...choices[0], error: { code: 402, message: 'credit' } }] });
    expect(await modelError(askChat())).toMatchObject({ code: 'model.quota_exhausted' });
  });

  test('400 for thinking beside tools says what to set', async () => {
    const message =
      'Function tools with reasoning_effort are not supported in /v1/chat/completions.';
    endpoint.reply(400, { error: { message, param: 'reasoning_effort' } });
    expect((await modelError(askChat())).message).toMatch(/OPENAI_API to responses/);
  });
});
