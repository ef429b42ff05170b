import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  chat,
  choiceOf,
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

const START = script({ calls: [echo('a'), echo('b')] }, { calls: [echo('c')] }, { say: 'done' });

describe.each([
  ['gemini', 'google'],
  ['vertex', 'vertex'],
] as const)('%s', (name, vendor) => {
  const ask = (messages: object[], more: object = {}) =>
    chat(model.dialectUrl(name), messages as Record<string, unknown>[], {
      model: 'gemini-3-pro',
      ...more,
    });

  const signed = (signature: string) => ({
    extra_content: { [vendor]: { thought_signature: signature } },
  });

  test('signs the first of parallel calls, and finishes with stop', async () => {
    const answered = await ask([START]);
    expect(choiceOf(answered).finish_reason).toBe('stop');
    const [first, second] = messageOf(answered).tool_calls ?? [];
    expect(first?.extra_content).toEqual({ [vendor]: { thought_signature: expect.any(String) } });
    expect(second).not.toHaveProperty('extra_content');
  });

  test('goes on when every signature comes back', async () => {
    const first = messageOf(await ask([START]));
    const talk = [START, first, ...results(first)];
    const second = messageOf(await ask(talk));
    const third = messageOf(await ask([...talk, second, ...results(second)]));
    expect(third.content).toBe('done');
  });

  test('refuses a missing, a changed and another signature with a list', async () => {
    const first = messageOf(await ask([START]));
    const [call, ...others] = first.tool_calls ?? [];
    const { extra_content: _gone, ...bare } = call ?? { id: '', function: {} };
    const single = messageOf(await ask([script({ calls: [echo('c')] })]));
    const foreign = single.tool_calls?.[0]?.extra_content;
    for (const wrong of [
      bare,
      { ...bare, ...signed('made up') },
      { ...bare, extra_content: foreign },
    ]) {
      const message = { ...first, tool_calls: [wrong, ...others] };
      const { status, body } = await ask([START, message, ...results(first)]);
      expect(status).toBe(400);
      expect(body).toEqual([
        {
          error: {
            code: 400,
            status: 'INVALID_ARGUMENT',
            message: expect.stringMatching(/thought.signature/),
          },
        },
      ]);
    }
  });

  test('takes the literal for calls of another model', async () => {
    const [message, result] = foreignTurn('call_1');
    const [call] = (message?.['tool_calls'] ?? []) as object[];
    const skipping = {
      ...message,
      tool_calls: [{ ...call, ...signed('skip_thought_signature_validator') }],
    };
    expect((await ask([START, skipping, result ?? {}])).status).toBe(200);
    expect((await ask([START, message ?? {}, result ?? {}])).status).toBe(400);
  });

  test('may have empty call IDs, and recognises the turn under the ID that a client makes', async () => {
    const start = script({ calls: [echo('a')], ids: 'empty' }, { say: 'done' });
    const first = messageOf(await ask([start]));
    expect(first.tool_calls?.[0]?.id).toBe('');
    const calls = (first.tool_calls ?? []).map((call) => ({ ...call, id: 'made_by_client' }));
    const message = { ...first, tool_calls: calls };
    expect(messageOf(await ask([start, message, ...results(message)])).content).toBe('done');
  });

  test('before version 3 signs nothing', async () => {
    const old = { model: 'gemini-2.5-pro' };
    const first = messageOf(await ask([START], old));
    expect(first.tool_calls?.[0]).not.toHaveProperty('extra_content');
    expect((await ask([START, first, ...results(first)], old)).status).toBe(200);
  });

  test('signs in a stream, too', async () => {
    const { body } = await ask([START], { stream: true });
    expect(body).toContain(`"extra_content":{"${vendor}":`);
  });

  test('has its own form for faults of the wire', async () => {
    const { status, body } = await ask([
      script({ say: name, fault: { kind: 'rate-limit', message: 'Please retry in 10h17m20s' } }),
    ]);
    expect(status).toBe(429);
    expect(body).toEqual([
      { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Please retry in 10h17m20s' } },
    ]);
  });
});

describe.each(['deepseek', 'kimi'] as const)('%s', (name) => {
  const ask = (messages: object[], more: object = {}) =>
    chat(model.dialectUrl(name), messages as Record<string, unknown>[], more);

  test('sends thoughts with every answer', async () => {
    const first = messageOf(await ask([START]));
    expect(first['reasoning_content']).toEqual(expect.stringMatching(/\S/));
    expect(messageOf(await ask([script({ say: 'x' })]))).toHaveProperty('reasoning_content');
    const ordered = messageOf(await ask([script({ say: 'x', reasoning: 'Hm.' })]));
    expect(ordered['reasoning_content']).toBe('Hm.');
  });

  test('goes on when they come back, and refuses a turn that lost them', async () => {
    const first = messageOf(await ask([START]));
    const talk = [START, first, ...results(first)];
    expect((await ask(talk)).status).toBe(200);
    const { reasoning_content: _gone, ...bare } = first;
    for (const wrong of [bare, { ...bare, reasoning_content: '' }]) {
      const { status, body } = await ask([START, wrong, ...results(first)]);
      expect(status).toBe(400);
      expect(body).toMatchObject({
        error: {
          type: 'invalid_request_error',
          message: expect.stringContaining('reasoning_content'),
        },
      });
    }
  });

  test('takes empty thoughts that it issued', async () => {
    const start = script({ calls: [echo('a')], reasoning: '' }, { say: 'done' });
    const first = messageOf(await ask([start]));
    expect(first['reasoning_content']).toBe('');
    expect((await ask([start, first, ...results(first)])).status).toBe(200);
  });

  test('takes calls of another model with a placeholder', async () => {
    const withThoughts = (reasoning_content: string) =>
      ask([START, ...foreignTurn('call_1', { reasoning_content })]);
    expect((await withThoughts(' ')).status).toBe(200);
    expect((await withThoughts('')).status).toBe(name === 'deepseek' ? 200 : 400);
    expect((await ask([START, ...foreignTurn('call_1')])).status).toBe(400);
  });

  test('does not think where thinking is switched off', async () => {
    const off = { thinking: { type: 'disabled' } };
    const first = messageOf(await ask([START], off));
    expect(first).not.toHaveProperty('reasoning_content');
    expect((await ask([START, first, ...results(first)], off)).status).toBe(200);
  });
});
