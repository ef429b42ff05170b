import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Item } from '../support/model/client.ts';
import {
  chat,
  ECHO,
  echo,
  foreignTurn,
  messageOf,
  outputOf,
  outputs,
  respond,
  script,
  startModel,
} from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;
let base: string;

beforeAll(async () => {
  model = await startModel();
  base = model.dialectUrl('openai');
});
afterAll(async () => {
  await model.stop();
});

const START = script({ calls: [echo('a'), echo('b')] }, { calls: [echo('c')] }, { say: 'done' });
const NONE = { reasoning_effort: 'none' };

describe('chat completions of OpenAI', () => {
  test.each([
    ['gpt-5.4', {}, 'reasoning_effort'],
    ['gpt-5.6-terra', { reasoning_effort: 'low' }, 'reasoning_effort'],
    ['gpt-6', {}, 'reasoning_effort'],
    ['gpt-6-astra', NONE, 'tools'],
    ['gpt-6.1-sol', NONE, 'tools'],
    ['gpt-5.1-codex', NONE, 'tools'],
    ['gpt-5.2-pro', NONE, 'tools'],
  ])('of %s refuse tools with %j', async (name, more, param) => {
    const { status, body } = await chat(base, [START], { model: name, ...more });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: {
        type: 'invalid_request_error',
        param,
        message: expect.stringContaining('/v1/responses'),
      },
    });
  });

  test.each([
    ['gpt-5.4', NONE],
    ['gpt-6', { ...NONE, temperature: 1 }],
    ['gpt-5.3', {}],
    ['gpt-4.1', { temperature: 0, max_tokens: 9, stop: ['x'] }],
    ['gpt-5.6', { tools: undefined }],
  ])('of %s accept %j', async (name, more) => {
    expect((await chat(base, [START], { model: name, ...more })).status).toBe(200);
  });

  test.each([
    [{ max_tokens: 9 }, 'max_tokens'],
    [{ stop: ['x'] }, 'stop'],
    [{ temperature: 0.5 }, 'temperature'],
  ])('of GPT-6 refuse %j', async (more, param) => {
    const { status, body } = await chat(base, [START], { model: 'gpt-6', ...NONE, ...more });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { param } });
  });

  test('refuse what they do not know, too many tools, long call IDs', async () => {
    const many = Array.from({ length: 129 }, (_, index) => ({
      type: 'function',
      function: { ...ECHO, name: `tool_${index}` },
    }));
    for (const [messages, more, param] of [
      [[START], { max_output_tokens: 9 }, 'max_output_tokens'],
      [[START, ...foreignTurn('call_1', { reasoning_content: 'x' })], {}, /reasoning_content$/],
      [[START, ...foreignTurn('x'.repeat(41))], {}, /id$/],
      [[START], { tools: many }, 'tools'],
    ] as const) {
      const { status, body } = await chat(base, [...messages], { model: 'gpt-5', ...more });
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { param: expect.stringMatching(param) } });
    }
    const rebuilt = await chat(base, [START, ...foreignTurn('x'.repeat(40))], { model: 'gpt-5' });
    expect(rebuilt.status).toBe(200);
  });

  test('refuse a strict tool whose schema is not closed', async () => {
    const tools = [{ type: 'function', function: { ...ECHO, strict: true } }];
    expect((await chat(base, [START], { model: 'gpt-5', tools })).status).toBe(400);
  });
});

describe.each(['openai', 'azure'] as const)('responses of %s', (name) => {
  const ask = (input: object[], more: object = {}) =>
    respond(model.dialectUrl(name), input as Item[], { model: 'gpt-6', ...more });

  async function first() {
    const output = outputOf(await ask([START]));
    const [reasoning, ...calls] = output;
    if (!reasoning) throw new Error('There is no reasoning.');
    return { output, reasoning, calls };
  }

  test('go on when everything comes back', async () => {
    const { output } = await first();
    const items = [START, ...output, ...outputs(output)];
    const second = outputOf(await ask(items));
    const third = outputOf(await ask([...items, ...second, ...outputs(second)]));
    expect(third.at(-1)).toMatchObject({ type: 'message', content: [{ text: 'done' }] });
  });

  test('have other encrypted content and call IDs every time', async () => {
    const [one, two] = [await first(), await first()];
    expect(one.reasoning['encrypted_content']).not.toBe(two.reasoning['encrypted_content']);
    const ids = [...one.calls, ...two.calls].map((item) => item['call_id']);
    expect(new Set(ids).size).toBe(4);
    const mixed = [START, one.reasoning, ...two.calls, ...outputs(two.calls)];
    expect((await ask(mixed)).status).toBe(400);
  });

  test('refuse calls without the reasoning that went out with them', async () => {
    const { calls, reasoning } = await first();
    for (const kept of [calls, calls.map(({ id: _id, ...call }) => call)]) {
      const { status, body } = await ask([START, ...kept, ...outputs(calls)]);
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error: {
          message: expect.stringContaining(
            `was provided without its required 'reasoning' item: '${String(reasoning['id'])}'`,
          ),
          param: 'input',
        },
      });
    }
  });

  test('refuse the reasoning of another answer', async () => {
    const { calls } = await first();
    const other = outputOf(await ask([script({ say: 'other' })]));
    const { status } = await ask([START, ...other.slice(0, 1), ...calls, ...outputs(calls)]);
    expect(status).toBe(400);
  });

  test('do not find reasoning that they did not keep', async () => {
    const { reasoning, calls } = await first();
    const { encrypted_content: _gone, ...bare } = reasoning;
    const { status, body } = await ask([START, bare, ...calls, ...outputs(calls)]);
    expect(status).toBe(404);
    expect(body).toMatchObject({
      error: { message: expect.stringContaining(`Item with id '${String(bare['id'])}' not found`) },
    });
  });

  test('refuse encrypted content that is not theirs, or not of that item', async () => {
    const { reasoning, calls } = await first();
    for (const wrong of [
      { ...reasoning, encrypted_content: 'gAAAAABforeign' },
      { ...reasoning, id: 'rs_other' },
    ]) {
      const { status, body } = await ask([START, wrong, ...calls, ...outputs(calls)]);
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { code: 'invalid_encrypted_content' } });
    }
    const { id: _id, ...withoutId } = reasoning;
    expect((await ask([START, withoutId, ...calls, ...outputs(calls)])).status).toBe(200);
  });

  test('refuse reasoning that nothing follows', async () => {
    const { reasoning } = await first();
    const { status, body } = await ask([START, reasoning, { role: 'user', content: 'Go on.' }]);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { message: expect.stringContaining('without its required following item') },
    });
  });

  test('accept rebuilt calls of another endpoint, but not with an ID of an item', async () => {
    const call = { type: 'function_call', call_id: 'abc123', name: 'echo', arguments: '{}' };
    const items = [START, call, ...outputs([call])];
    expect(outputOf(await ask(items)).at(-1)).toMatchObject({ arguments: '{"text":"c"}' });
    for (const id of ['fc_foreign', 'call_1']) {
      const { status } = await ask([START, { ...call, id }, ...outputs([call])]);
      expect(status).toBe(400);
    }
  });

  test('send encrypted content only where it is asked for', async () => {
    const output = outputOf(await ask([START], { include: [] }));
    expect(output[0]).toMatchObject({ type: 'reasoning', id: expect.stringMatching(/^rs_/) });
    expect(output[0]).not.toHaveProperty('encrypted_content');
    // Nothing could be kept, so the bare calls will do.
    const bare = output.slice(1).map(({ id: _id, ...call }) => call);
    expect((await ask([START, ...bare, ...outputs(output)])).status).toBe(200);
  });

  test('of a model without reasoning', async () => {
    const plain = { model: 'gpt-no-reasoning' };
    const { status, body } = await ask([START], plain);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { message: 'Encrypted content is not supported with this model.' },
    });
    const output = outputOf(await ask([START], { ...plain, include: [] }));
    expect(output.map((item) => item.type)).toEqual(['function_call', 'function_call']);
    const next = await ask([START, ...output, ...outputs(output)], { ...plain, include: [] });
    expect(next.status).toBe(200);
  });

  test.each([
    [{ max_tokens: 9 }],
    [{ stop: ['x'] }],
    [{ temperature: 0.5 }],
    [{ previous_response_id: 'resp_1' }],
    [{ background: true }],
  ])('refuse %j', async (more) => {
    expect((await ask([START], more)).status).toBe(400);
  });

  test('accept what they know', async () => {
    const more = { reasoning: { effort: 'low' }, max_output_tokens: 99, tool_choice: 'auto' };
    expect((await ask([START], more)).status).toBe(200);
  });
});

test('only OpenAI and Azure have responses', async () => {
  expect((await respond(model.dialectUrl('kimi'), [START])).status).toBe(404);
});

test('a turn of OpenAI goes to Azure in rebuilt form only', async () => {
  const output = outputOf(await respond(base, [START]));
  const azure = model.dialectUrl('azure');
  expect((await respond(azure, [START, ...output, ...outputs(output)])).status).toBe(400);
  const rebuilt = output.slice(1).map(({ id: _id, ...call }) => call);
  expect((await respond(azure, [START, ...rebuilt, ...outputs(output)])).status).toBe(200);
  const message = messageOf(await chat(base, [START], { model: 'gpt-5' }));
  expect(message.tool_calls).toHaveLength(2);
});
