import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chat,
  choiceOf,
  echo,
  messageOf,
  outputOf,
  respond,
  results,
  script,
  startModel,
} from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;

beforeAll(async () => {
  model = await startModel();
});
afterAll(() => model.stop());

const said = async (entry: object) => messageOf(await chat(model.url, [script(entry)]));

describe('an odd answer in chat completions', () => {
  test('has a list of parts as its content', async () => {
    const parts = [{ type: 'text', text: 'a' }];
    expect((await said({ parts })).content).toEqual(parts);
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
});

describe('an odd answer in Responses', () => {
  test('has arguments as an object, and empty call IDs', async () => {
    const calls = [{ ...echo('a'), argumentsAs: 'object' }, echo('b')];
    const output = outputOf(
      await respond(model.url, [script({ calls, ids: 'empty' })], { include: [] }),
    );
    expect(output).toMatchObject([
      { call_id: '', arguments: { text: 'a' } },
      { call_id: '', arguments: '{"text":"b"}' },
    ]);
  });

  test('has a commentary before what it says', async () => {
    const commented = outputOf(
      await respond(model.url, [script({ commentary: 'Looking.', say: 'Found.' })]),
    );
    expect(commented.slice(1)).toMatchObject([
      { phase: 'commentary', content: [{ text: 'Looking.' }] },
      { phase: 'final_answer', content: [{ text: 'Found.' }] },
    ]);
  });
});
