import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startScriptedModel, type ScriptedModel } from '../scripted-model/server.ts';
import {
  NO_SCRIPTS,
  chat,
  choiceOf,
  echo,
  messageOf,
  outputOf,
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

const said = async (entry: object) => messageOf(await chat(model.url, [script(entry)]));

describe('an answer in chat completions', () => {
  test.each(['error', 'model_length', 'function_call_filter: MALFORMED_FUNCTION_CALL', null])(
    'finishes with %j',
    async (finish) => {
      const choice = choiceOf(await chat(model.url, [script({ say: 'x', finish })]));
      expect(choice.finish_reason).toBe(finish);
    },
  );

  test.each([
    [{}, null],
    [{ say: '' }, ''],
    [{ say: ' \n' }, ' \n'],
    [{ say: [{ type: 'text', text: 'a' }] }, [{ type: 'text', text: 'a' }]],
  ])('of %j has content %j', async (entry, content) => {
    expect((await said(entry)).content).toEqual(content);
  });

  test('refuses in given words, thinks given thoughts', async () => {
    expect(await said({ refusal: 'No.', reasoning: 'Hm.' })).toMatchObject({
      content: null,
      refusal: 'No.',
      reasoning_content: 'Hm.',
    });
  });

  test('calls with arguments as an object', async () => {
    const { tool_calls: calls } = await said({ calls: [{ ...echo('a'), argumentsAs: 'object' }] });
    expect(calls).toMatchObject([{ function: { name: 'echo', arguments: { text: 'a' } } }]);
  });

  test('calls in the old form', async () => {
    const answered = await chat(model.url, [script({ calls: [echo('a')], legacyCall: true })]);
    expect(choiceOf(answered)).toMatchObject({
      finish_reason: 'function_call',
      message: { function_call: { name: 'echo', arguments: '{"text":"a"}' } },
    });
    expect(messageOf(answered)).not.toHaveProperty('tool_calls');
  });

  test('has the same call ID within a turn and across turns', async () => {
    const start = script(
      { calls: [echo('a'), echo('b')], ids: 'same' },
      { calls: [echo('c')], ids: 'same' },
    );
    const first = messageOf(await chat(model.url, [start]));
    const [one, two] = first.tool_calls ?? [];
    expect(one?.id).toBe(two?.id);
    const single = { ...first, tool_calls: [one] };
    const second = messageOf(await chat(model.url, [start, single, ...results(first).slice(1)]));
    expect(second.tool_calls?.[0]?.id).toBe(one?.id);
  });

  test('has a given call ID', async () => {
    const { tool_calls: calls } = await said({ calls: [{ ...echo('a'), id: 'functions.echo:0' }] });
    expect(calls?.[0]?.id).toBe('functions.echo:0');
  });

  test('reports cached and reasoning tokens', async () => {
    const usage = { inputTokens: 9, outputTokens: 5, cachedInputTokens: 4, reasoningTokens: 3 };
    const { body } = await chat(model.url, [script({ say: 'x', usage })]);
    expect(body).toMatchObject({
      usage: {
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    expect((await respond(model.url, [script({ say: 'x', usage })])).body).toMatchObject({
      usage: {
        input_tokens_details: { cached_tokens: 4 },
        output_tokens_details: { reasoning_tokens: 3 },
      },
    });
  });
});

describe('an answer in Responses', () => {
  test('can have all the same flaws', async () => {
    const calls = [{ ...echo('a'), argumentsAs: 'object' }, echo('b')];
    const output = outputOf(
      await respond(model.url, [script({ calls, ids: 'empty' })], { include: [] }),
    );
    expect(output).toMatchObject([
      { call_id: '', arguments: { text: 'a' } },
      { call_id: '', arguments: '{"text":"b"}' },
    ]);
    expect(outputOf(await respond(model.url, [script({})], { include: [] }))).toEqual([]);
  });
});

test('counters count by step and by key, in both APIs', async () => {
  await chat(model.url, [script({ say: 'x' })], {}, 'run:t1.model~aaaaaaaaaaaa');
  await chat(model.url, [script({ say: 'x' })], {}, 'run:t1.model~aaaaaaaaaaaa');
  await respond(model.url, [script({ say: 'x' })], {}, 'run:t1.model~bbbbbbbbbbbb');
  const counters = await (await fetch(new URL('/counters', model.url))).json();
  expect(counters).toMatchObject({
    byToken: { 'run:t1.model': 3 },
    byKey: { 'run:t1.model~aaaaaaaaaaaa': 2, 'run:t1.model~bbbbbbbbbbbb': 1 },
  });
});
