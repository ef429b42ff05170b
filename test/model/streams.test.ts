import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelEndpoint } from '../../src/contract/model-endpoint.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import type { ModelCallContext } from '../../src/model/port.ts';
import { startTestModel, type TestModel } from '../support/model/test-model.ts';
import { API_KEY, ask, context, modelError, request } from './ask.ts';
import { completion, response, said } from './bodies.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: Endpoint;
let model: TestModel;

beforeAll(async () => {
  [endpoint, model] = await Promise.all([startEndpoint(), startTestModel()]);
});
afterAll(async () => {
  await Promise.all([endpoint.stop(), model.stop()]);
});

const chunk = (delta: object, finish_reason: string | null = null) =>
  event({ choices: [{ index: 0, delta, finish_reason }] });
const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;
const END = chunk({}, 'stop') + 'data: [DONE]\n\n';

/** Answers the next requests with pieces of a stream; the last is the end, where it is no function. */
function streams(...pieces: (string | ((reply: ServerResponse) => void))[]): void {
  endpoint.answer((reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) {
      if (typeof piece !== 'string') return piece(reply);
      reply.write(piece);
    }
    reply.end();
  });
}

const streamed = (options: ModelEndpoint = {}, changes: Partial<ModelCallContext> = {}) =>
  ask(endpoint.url, {}, changes, { stream: true, ...options });

/** What a listener is told. */
async function told(options: ModelEndpoint = {}): Promise<string[]> {
  const texts: string[] = [];
  await streamed(options, { onText: (text) => texts.push(text) });
  return texts;
}

describe('an answer is asked for as a stream', () => {
  test('only where the endpoint says so', async () => {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop'));
    await ask(endpoint.url);
    expect(endpoint.received.at(-1)?.body).not.toHaveProperty('stream');
  });

  test.each<[string, ModelEndpoint, object]>([
    ['with its usage', {}, { stream: true, stream_options: { include_usage: true } }],
    ['without, as told', { streamUsage: false }, { stream: true }],
    ['without, at Mistral', { dialect: 'mistral' }, { stream: true }],
    ['of Responses', { api: 'responses' }, { stream: true }],
  ])('%s', async (_name, options, expected) => {
    const whole = { type: 'response.completed', response: response([said('hi')]) };
    streams(options.api === 'responses' ? event(whole) : chunk({ content: 'hi' }) + END);
    await expect(streamed(options)).resolves.toMatchObject({ content: 'hi' });
    const { stream, stream_options } = endpoint.received.at(-1)?.body ?? {};
    expect({ stream, ...(stream_options ? { stream_options } : {}) }).toEqual(expected);
  });

  test.each<[string, ModelEndpoint, object]>([
    ['the scripted model', {}, {}],
    ['Responses', { api: 'responses' }, {}],
    ['Mistral, which refuses stream_options', { dialect: 'mistral' }, { at: 'mistral' }],
    ['DashScope, which answers streams only', {}, { at: 'dashscope' }],
  ])('and read: %s', async (_name, options, where: { at?: 'mistral' | 'dashscope' }) => {
    const baseUrl = where.at === undefined ? model.url : model.dialectUrl(where.at);
    const one = createOpenAiModel({ baseUrl, apiKey: API_KEY, stream: true, ...options });
    const content = JSON.stringify({ script: [{ say: 'several words of an answer' }] });
    const texts: string[] = [];
    const reply = await one.complete(
      { ...request, messages: [{ role: 'user', content }] },
      context({ onText: (text) => texts.push(text) }),
    );
    expect(reply.content).toBe('several words of an answer');
    expect(texts.join('')).toBe('several words of an answer');
    expect(reply.usage === null).toBe(where.at === 'mistral');
  });

  test('and plain JSON is read all the same', async () => {
    endpoint.reply(200, completion({ content: 'hi' }, 'stop'));
    await expect(streamed()).resolves.toMatchObject({ content: 'hi', usage: { inputTokens: 7 } });
  });
});

describe('a stream that does not come to its end', () => {
  const HALF = chunk({ content: 'Half ' });

  test.each([[{}], [{ api: 'responses' as const }]])(
    'and sends nothing for too long is given up, to be asked for again (%j)',
    async (options) => {
      const begun = event({ type: 'response.created', response: {} });
      streams('api' in options ? begun : HALF, () => {});
      await expect(modelError(streamed({ streamIdleMs: 50, ...options }))).resolves.toMatchObject({
        code: 'model.timeout',
        retryable: true,
        answered: undefined,
      });
    },
  );

  test('and sends comments is alive', async () => {
    streams(HALF, (reply) => {
      let comments = 0;
      const alive = setInterval(() => {
        reply.write(': keep-alive\n\n');
        comments += 1;
        if (comments < 8) return;
        clearInterval(alive);
        reply.end(chunk({ content: 'and whole' }) + END);
      }, 100);
    });
    await expect(streamed({ streamIdleMs: 500 }, { timeoutMs: 400 })).resolves.toMatchObject({
      content: 'Half and whole',
    });
  });

  test.each<[string, Parameters<typeof streams>]>([
    ['whose connection dies', [HALF, (reply) => void setTimeout(() => reply.destroy(), 100)]],
    ['that is closed in the middle', [HALF]],
    ['that is closed before its first event', [': keep-alive\n\n']],
    ['that is closed before its first byte', []],
    ['that is cut in its only event', ['data: {"choices":[{"delta":{"con']],
  ])('%s is broken off, and asked for again under its token', async (_name, pieces) => {
    streams(...pieces);
    await expect(modelError(streamed())).resolves.toMatchObject({
      code: 'model.broken_off',
      retryable: true,
      answered: undefined,
    });
  });

  test('is asked for no more when the step is stopped', async () => {
    const stopping = new AbortController();
    streams(HALF, () => stopping.abort(new Error('the run was cancelled')));
    await expect(streamed({}, { signal: stopping.signal })).rejects.toThrow(
      'the run was cancelled',
    );
  });

  test('says nothing of a key that it echoes in its error', async () => {
    streams(HALF, event({ error: { message: `upstream died of ${API_KEY}`, code: 502 } }));
    const error = await modelError(streamed());
    expect(error).toMatchObject({ code: 'model.unavailable', retryable: true });
    expect(error.message).toMatch(/upstream died of \[redacted\]/);
  });

  test('because it is refused is an error as any other', async () => {
    endpoint.reply(400, { error: { message: 'no streams here' } });
    await expect(modelError(streamed())).resolves.toMatchObject({
      code: 'model.rejected',
      retryable: false,
    });
  });
});

describe('a listener', () => {
  test('gets the text as it comes, before the answer is whole', async () => {
    let goOn = () => {};
    const texts: string[] = [];
    streams(chunk({ content: 'Hel' }), (reply) => {
      goOn = () => void reply.end(chunk({ content: 'lo' }) + END);
    });
    const onText = (text: string) => {
      texts.push(text);
      goOn();
    };
    await expect(streamed({}, { onText })).resolves.toMatchObject({ content: 'Hello' });
    expect(texts).toEqual(['Hel', 'lo']);
  });

  test('gets neither thoughts nor the arguments of calls', async () => {
    const call = { index: 0, id: 'a', function: { name: 'look', arguments: '{"a":1}' } };
    const thinking = [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }];
    streams(
      chunk({ reasoning_content: 'hm' }),
      chunk({ content: thinking }),
      chunk({ content: [{ type: 'text', text: 'I ' }] }),
      chunk({ content: 'look' }),
      chunk({ tool_calls: [call] }),
      END,
    );
    expect(await told()).toEqual(['I ', 'look']);
  });

  test('gets no thoughts that stand at the head of a text', async () => {
    const words = ['<thi', 'nk>hm</th', 'ink>\n\n', 'Yes', ', <b>', 'sir'];
    streams(...words.map((content) => chunk({ content })), END);
    expect((await told()).join('')).toBe('Yes, <b>sir');
  });

  test('gets the text of Responses alone', async () => {
    const item = { type: 'function_call', name: 'look', arguments: '{}' };
    streams(
      event({ type: 'response.reasoning_text.delta', delta: 'hm' }),
      event({ type: 'response.output_text.delta', delta: 'I ' }),
      event({ type: 'response.output_text.delta', delta: 'look' }),
      event({ type: 'response.function_call_arguments.delta', delta: '{}' }),
      event({ type: 'response.completed', response: response([said('I look'), item]) }),
    );
    expect(await told({ api: 'responses' })).toEqual(['I ', 'look']);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('the listener');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the listener'))],
  ])('that %s breaks nothing', async (_name, onText) => {
    streams(chunk({ content: 'Hello' }), END);
    await expect(streamed({}, { onText })).resolves.toMatchObject({ content: 'Hello' });
  });
});
