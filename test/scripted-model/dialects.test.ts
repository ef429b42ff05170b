import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chat,
  echo,
  foreignTurn,
  messageOf,
  results,
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

const START = script({ calls: [echo('a'), echo('b')] }, { say: 'done' });

describe('mistral', () => {
  const ask = (messages: object[], more: object = {}) =>
    chat(model.dialectUrl('mistral'), messages as Record<string, unknown>[], more);

  test('issues call IDs that it takes back', async () => {
    const first = messageOf(await ask([START]));
    const ids = first.tool_calls?.map((call) => call.id) ?? [];
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    const { refusal: _refusal, ...message } = first;
    expect(messageOf(await ask([START, message, ...results(first)])).content).toBe('done');
  });

  test('refuses other call IDs', async () => {
    const { status, body } = await ask([START, ...foreignTurn('call_0123456789')]);
    expect(status).toBe(400);
    expect(body).toMatchObject({ object: 'error', type: 'invalid_function_call', code: '3280' });
    expect((await ask([START, ...foreignTurn('abcDEF789')])).status).toBe(200);
  });

  test.each(['reasoning_content', 'reasoning_details', 'extra_content', 'refusal'])(
    'refuses %s in a message',
    async (member) => {
      const { status, body } = await ask([START, ...foreignTurn('abcDEF789', { [member]: 'x' })]);
      expect(status).toBe(422);
      expect(body).toMatchObject({
        object: 'error',
        message: {
          detail: [
            {
              type: 'extra_forbidden',
              loc: ['body', 'messages', 1, 'assistant', member],
              input: 'x',
            },
          ],
        },
        type: 'invalid_request_message_error',
      });
    },
  );

  test('lists every member of the body that it does not know', async () => {
    const { status, body } = await ask([START], {
      max_completion_tokens: 9,
      reasoning_effort: 'low',
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({
      message: {
        detail: [{ loc: ['body', 'max_completion_tokens'] }, { loc: ['body', 'reasoning_effort'] }],
      },
    });
    const more = { model: 'mistral-medium-latest', reasoning_effort: 'high', max_tokens: 9 };
    expect((await ask([START], more)).status).toBe(200);
  });

  test.each([
    { model: 'magistral-medium' },
    { model: 'mistral-small-latest', reasoning_effort: 'high' },
  ])('answers as a list of thoughts and text, and takes it back: %j', async (thinking) => {
    const start = script({ say: 'Hello.', reasoning: 'Hm.' }, { say: 'done' });
    const { content } = messageOf(await ask([start], thinking));
    expect(content).toEqual([
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
      { type: 'text', text: 'Hello.' },
    ]);
    const again = await ask([start, { role: 'assistant', content }], thinking);
    expect(again.status).toBe(200);
  });
});

test('openrouter sends thoughts in two forms, and takes them back', async () => {
  const base = model.dialectUrl('openrouter');
  const start = script({ calls: [echo('a')], reasoning: 'Hm.' }, { say: 'done' });
  const first = messageOf(await chat(base, [start]));
  expect(first).toMatchObject({
    reasoning: 'Hm.',
    reasoning_details: [
      { type: 'reasoning.summary', summary: 'Hm.', format: 'openai-responses-v1', index: 0 },
      { type: 'reasoning.encrypted', data: expect.any(String), id: expect.any(String) },
    ],
  });
  expect((await chat(base, [start, first, ...results(first)])).status).toBe(200);
});

test('groq refuses a message member that it does not know', async () => {
  const base = model.dialectUrl('groq');
  const { status, body } = await chat(base, [
    START,
    ...foreignTurn('call_1', { reasoning_content: 'x' }),
  ]);
  expect(status).toBe(400);
  expect(body).toMatchObject({
    error: { message: expect.stringContaining("property 'reasoning_content' is unsupported") },
  });
  expect((await chat(base, [START, ...foreignTurn('call_1')])).status).toBe(200);
});

describe('formats of answers', () => {
  const SCHEMA = { type: 'object', properties: {}, required: [], additionalProperties: false };
  const of = (schema: object, more: object = { strict: true }) => ({
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema, ...more } },
  });
  const OBJECT = { response_format: { type: 'json_object' } };
  const tools = [
    { type: 'function', function: { name: 'echo', description: 'Echoes.', parameters: SCHEMA } },
  ];
  const plain = { model: 'm', reasoning_effort: 'none', tools: undefined };

  test.each<[Parameters<TestModel['dialectUrl']>[0], object, RegExp | null]>([
    ['openai', of(SCHEMA), null],
    ['openai', { ...of(SCHEMA), tools }, null],
    ['openai', of({ type: 'object' }), /additionalProperties/],
    ['openai', of({ type: 'object' }, {}), null],
    ['openai', of({ ...SCHEMA, properties: { a: { type: 'string' } } }), /Missing 'a'/],
    ['openai', of(SCHEMA, { name: 'two words' }), /name/],
    ['openai', OBJECT, /must contain the word 'json'/],
    ['gemini', of(SCHEMA), null],
    ['gemini', { ...of(SCHEMA), tools }, /Function calling with a response mime type/],
    ['groq', { ...OBJECT, tools }, /cannot be combined with tool/],
    ['deepseek', of(SCHEMA), /unavailable now/],
    ['deepseek', OBJECT, /must contain the word 'json'/],
  ])('%s, case %#', async (dialect, more, refusal) => {
    const messages = [{ role: 'user', content: 'hello' }];
    const answer = await chat(model.dialectUrl(dialect), messages, { ...plain, ...more });
    expect(answer.status).toBe(refusal ? 400 : 200);
    if (refusal) expect(JSON.stringify(answer.body)).toMatch(refusal);
  });
});
