import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelEndpoint } from '../../src/contract/model-endpoint.ts';
import { createModels } from '../../src/model/openai/models.ts';
import { context, modelError, request } from './ask.ts';
import { completion } from './bodies.ts';
import { startEndpoint } from './http-endpoint.ts';

let endpoint: Awaited<ReturnType<typeof startEndpoint>>;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.stop());
beforeEach(() => {
  endpoint.received.length = 0;
  endpoint.reply(200, completion({ content: 'hi' }, 'stop'));
});

const models = (more: ModelEndpoint = {}) =>
  createModels(
    { baseUrl: endpoint.url, apiKey: 'of-the-environment' },
    { fast: { baseUrl: endpoint.url, model: 'small-1', apiKey: 'of-its-own', ...more } },
  );
const last = () => endpoint.received.at(-1);

describe('a named endpoint', () => {
  test('is asked for its model, with its key and its headers', async () => {
    const fast = models({ headers: { 'X-Team': 'billing' } });
    expect(fast.endpoints).toEqual(['fast']);
    await fast.complete({ ...request, endpoint: 'fast', model: 'fast' }, context());
    expect(last()).toMatchObject({
      body: { model: 'small-1' },
      headers: { authorization: 'Bearer of-its-own', 'x-team': 'billing' },
    });
  });

  test('whose definition names no model is asked for its own name', async () => {
    const named = createModels(
      { baseUrl: endpoint.url },
      { 'gpt-6-luna': { baseUrl: endpoint.url } },
    );
    await named.complete({ ...request, endpoint: 'gpt-6-luna', model: 'gpt-6-luna' }, context());
    expect(last()?.body).toMatchObject({ model: 'gpt-6-luna' });
  });

  test('is asked with what a resume says, whatever its own options are', async () => {
    const fast = models({ options: { reasoningEffort: 'none', maxOutputTokens: 500 } });
    const over = { reasoningEffort: 'low' };
    const asked = { ...request, ...over, over, endpoint: 'fast', model: 'fast' };
    await fast.complete(asked, context());
    expect(last()?.body).toMatchObject({ reasoning_effort: 'low', max_completion_tokens: 500 });
  });

  test('is asked with options of its own in the place of the agent’s', async () => {
    const fast = models({ options: { temperature: undefined, reasoningEffort: 'low' } });
    await fast.complete(
      { ...request, endpoint: 'fast', model: 'fast', temperature: 0.5, reasoningEffort: 'high' },
      context(),
    );
    expect(last()?.body).toMatchObject({ reasoning_effort: 'low' });
    expect(last()?.body).not.toHaveProperty('temperature');
  });

  test('that is not known here is none of the environment’s', async () => {
    const call = models().complete({ ...request, endpoint: 'slow', model: 'slow' }, context());
    await expect(call).rejects.toMatchObject({ code: 'model.unknown_endpoint' });
    expect(endpoint.received).toEqual([]);
  });

  test.each<[string, ModelEndpoint, RegExp]>([
    ['baseUrl', { baseUrl: 'nowhere' }, /^baseUrl of the model endpoint 'fast' is not an http/],
    ['apiKey', { apiKey: 'two words' }, /^apiKey of the model endpoint 'fast' has a character/],
  ])('with a wrong %s is refused by its name', (_setting, more, message) => {
    expect(() => models(more)).toThrow(
      expect.objectContaining({ code: 'config.invalid', message: expect.stringMatching(message) }),
    );
  });
});

test('any other model is asked at the endpoint of the environment', async () => {
  await models().complete({ ...request, model: 'other' }, context());
  expect(last()).toMatchObject({
    body: { model: 'other' },
    headers: { authorization: 'Bearer of-the-environment' },
  });
});

describe('a key that a function gives', () => {
  const ask = (apiKey: () => Promise<string>) =>
    models({ apiKey }).complete({ ...request, endpoint: 'fast', model: 'fast' }, context());

  test('is asked for before each request', async () => {
    let count = 0;
    const renewed = models({ apiKey: async () => `token-${(count += 1)}` });
    for (const token of ['token-1', 'token-2']) {
      await renewed.complete({ ...request, endpoint: 'fast', model: 'fast' }, context());
      expect(last()?.headers.authorization).toBe(`Bearer ${token}`);
    }
  });

  test('that an endpoint refuses as expired is replaced by the next attempt', async () => {
    endpoint.reply(401, { error: { message: 'token secret-token-7 has expired' } });
    const error = await modelError(ask(async () => 'secret-token-7'));
    expect(error).toMatchObject({ code: 'model.rejected', retryable: true });
    expect(error.message).not.toContain('secret-token-7');
    const fixed = models({ apiKey: 'for-good' }).complete(
      { ...request, endpoint: 'fast', model: 'fast' },
      context(),
    );
    expect(await modelError(fixed)).toMatchObject({ retryable: false });
  });

  test('that is waited for ends with the attempt', async () => {
    const stopping = new AbortController();
    const call = models({ apiKey: () => new Promise<string>(() => {}) }).complete(
      { ...request, endpoint: 'fast', model: 'fast' },
      context({ signal: stopping.signal }),
    );
    stopping.abort(new Error('the attempt is over'));
    await expect(call).rejects.toThrow('the attempt is over');
    expect(endpoint.received).toEqual([]);
  });

  test.each<[string, () => Promise<string>]>([
    ['that fails', () => Promise.reject(new Error('the vault said hunter2'))],
    ['that is empty', async () => ''],
    ['that no header can hold', async () => 'hunter2\nbreak'],
  ])(
    '%s is this worker’s trouble: nothing is asked, and nothing of it is told',
    async (_, apiKey) => {
      await expect(ask(apiKey)).rejects.toMatchObject({
        code: 'model.no_key',
        message: expect.not.stringContaining('hunter2'),
      });
      expect(endpoint.received).toEqual([]);
    },
  );

  test('that is missing for OpenAI is, too', async () => {
    const openai = createModels({ baseUrl: endpoint.url }, { fast: { apiKey: undefined } });
    const call = openai.complete({ ...request, endpoint: 'fast', model: 'fast' }, context());
    await expect(call).rejects.toMatchObject({ code: 'model.no_key' });
  });
});
