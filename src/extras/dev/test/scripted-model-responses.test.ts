import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/server.ts';
import {
  NO_SCRIPTS,
  chat,
  echo,
  messageOf,
  outputOf,
  outputs,
  respond,
  results,
  script,
} from '../../../../test/support/model/client.ts';

let model: ScriptedModel;

beforeAll(async () => {
  model = await startScriptedModel({ scriptsDir: NO_SCRIPTS });
});
afterAll(async () => {
  await model.stop();
});

const TURNS = [
  { calls: [echo('a'), echo('b')], usage: { inputTokens: 7, outputTokens: 3 } },
  { calls: [echo('c')], say: 'One more.' },
  { say: 'done' },
];

describe('a script', () => {
  test('plays the same turns through both APIs', async () => {
    const start = script(...TURNS);

    const first = messageOf(await chat(model.url, [start]));
    const talk = [start, first, ...results(first)];
    const second = messageOf(await chat(model.url, talk));
    const third = messageOf(await chat(model.url, [...talk, second, ...results(second)]));
    expect([first, second, third]).toMatchObject([
      { content: null, tool_calls: [{}, {}] },
      { content: 'One more.', tool_calls: [{}] },
      { content: 'done' },
    ]);

    const one = outputOf(await respond(model.url, [start]));
    const items = [start, ...one, ...outputs(one)];
    const two = outputOf(await respond(model.url, items));
    const three = outputOf(await respond(model.url, [...items, ...two, ...outputs(two)]));
    expect(one).toMatchObject([
      { type: 'reasoning' },
      { type: 'function_call', name: 'echo', arguments: '{"text":"a"}' },
      { type: 'function_call', name: 'echo', arguments: '{"text":"b"}' },
    ]);
    expect(two).toMatchObject([
      { type: 'reasoning' },
      { type: 'message', content: [{ type: 'output_text', text: 'One more.' }] },
      { type: 'function_call', arguments: '{"text":"c"}' },
    ]);
    expect(three).toMatchObject([{ type: 'reasoning' }, { content: [{ text: 'done' }] }]);
  });

  test('gets the instructions as a system message, a text as a user message', async () => {
    const more = { instructions: 'Be brief.' };
    const { body } = await respond(model.url, script({ say: 'x' }).content, more);
    expect(body).toMatchObject({ instructions: 'Be brief.', output: [{}, { type: 'message' }] });
    const [, said] = outputOf(await respond(model.url, 'hello', more));
    expect(said).toMatchObject({ content: [{ text: expect.stringContaining('2 message(s)') }] });
  });

  test('that is wrong is refused in the form of OpenAI', async () => {
    const { status, body } = await respond(model.url, [script({ saay: 'typo' })]);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { code: 'invalid_script', message: expect.stringContaining('saay') },
    });
  });
});

describe('a response', () => {
  test('has usage, and the status of its end', async () => {
    const answered = await respond(model.url, [script(...TURNS)]);
    expect(answered.body).toMatchObject({
      object: 'response',
      status: 'completed',
      incomplete_details: null,
      error: null,
      usage: {
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 3,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 10,
      },
    });
  });

  test.each([
    ['length', { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }],
    ['content_filter', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }],
    ['whatever', { status: 'incomplete', incomplete_details: { reason: 'whatever' } }],
    ['error', { status: 'failed', error: { code: 'server_error' } }],
    ['cancelled', { status: 'cancelled' }],
    ['in_progress', { status: 'in_progress' }],
    [null, { status: null }],
  ])('that finishes with %j', async (finish, expected) => {
    const { body } = await respond(model.url, [script({ say: 'half', finish })]);
    expect(body).toMatchObject(expected);
  });

  test('can refuse, and have ordered thoughts', async () => {
    const [thoughts, refusal] = outputOf(
      await respond(model.url, [script({ refusal: 'Not that.', reasoning: 'Hm.' })]),
    );
    expect(thoughts).toMatchObject({ summary: [{ type: 'summary_text', text: 'Hm.' }] });
    expect(refusal).toMatchObject({ content: [{ type: 'refusal', refusal: 'Not that.' }] });
  });

  test('at /v1 has reasoning only where it is asked for, and does not want it back', async () => {
    const start = script(...TURNS);
    const without = outputOf(await respond(model.url, [start], { include: [] }));
    expect(without.map((item) => item.type)).toEqual(['function_call', 'function_call']);
    const bare = outputOf(await respond(model.url, [start])).slice(1);
    const { status } = await respond(model.url, [start, ...bare, ...outputs(bare)]);
    expect(status).toBe(200);
  });

  test('needs an output for every call, and a call for every output', async () => {
    const start = script(...TURNS);
    const one = outputOf(await respond(model.url, [start]));
    const [output] = outputs(one);
    for (const input of [
      [start, ...one],
      [start, ...one, output ?? {}],
      [start, { type: 'function_call_output', call_id: 'call_none', output: 'ok' }],
    ]) {
      const { status, body } = await respond(model.url, input);
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error: { message: expect.stringMatching(/^No tool (output|call)/) },
      });
    }
  });
});

describe('the openai package', () => {
  const openai = () => new OpenAI({ baseURL: model.url, apiKey: 'none', maxRetries: 0 });

  test('reads a response', async () => {
    const response = await openai().responses.create({
      model: 'some-model',
      input: script({ say: 'done' }).content,
    });
    expect(response.output_text).toBe('done');
  });
});
