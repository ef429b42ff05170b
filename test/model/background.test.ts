import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelEndpoint } from '../../src/contract/model-endpoint.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import type { Background, BackgroundResponse, ModelCallContext } from '../../src/model/port.ts';
import {
  message,
  startBackgroundEndpoint,
  type BackgroundEndpoint,
} from '../support/background-endpoint.ts';
import { ask, context, modelError, request } from './ask.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

let endpoint: BackgroundEndpoint;
let plain: Endpoint;

beforeAll(async () => {
  [endpoint, plain] = await Promise.all([startBackgroundEndpoint(), startEndpoint()]);
});
afterAll(async () => {
  await Promise.all([endpoint.stop(), plain.stop()]);
});
beforeEach(() => endpoint.reset());

/** A step's row: what it has kept, in its order. */
function row(pending?: Partial<BackgroundResponse>) {
  const kept: (BackgroundResponse | undefined)[] = [];
  let isCancelled = false;
  const left: BackgroundResponse | undefined = pending && {
    origin: new URL(endpoint.url).origin,
    model: 'scripted',
    responseId: 'resp_1',
    at: new Date().toISOString(),
    ...pending,
  };
  const background: Background = {
    pending: left,
    keep: async (response) => void kept.push(response),
    isCancelled: () => isCancelled,
  };
  return { kept, background, cancel: () => (isCancelled = true) };
}

const OPTIONS: ModelEndpoint = { api: 'responses', background: true };
const asked = (
  background: Background,
  options: ModelEndpoint = {},
  changes: Partial<ModelCallContext> = {},
) => ask(endpoint.url, {}, { background, ...changes }, { ...OPTIONS, ...options });

describe('an answer that is made in the background', () => {
  test('is asked for by its ID, which was kept before', async () => {
    const { kept, background } = row();
    endpoint.state.held = true;
    const keep: Background['keep'] = async (response) => {
      expect(endpoint.counts.polls).toBe(0);
      endpoint.state.held = false;
      await background.keep(response);
    };
    await expect(asked({ ...background, keep })).resolves.toMatchObject({
      content: 'made',
      usage: { inputTokens: 100, outputTokens: 10 },
    });
    expect(kept).toEqual([
      {
        origin: new URL(endpoint.url).origin,
        model: 'scripted',
        responseId: 'resp_1',
        at: expect.any(String),
      },
    ]);
    expect(endpoint.made.get('resp_1')?.request).toMatchObject({ background: true, store: false });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
  });

  test('has its thoughts encrypted, as was asked for', async () => {
    const reply = await asked(row().background);
    expect(JSON.stringify(reply.opaque)).toContain('"encrypted_content":"of resp_1"');
    expect(endpoint.state.asked[0]).toMatch(/include(?:\[\]|%5B%5D)=reasoning\.encrypted_content/);
  });

  test('by an endpoint that cannot encrypt is asked for without', async () => {
    const refusal = { error: { message: 'Encrypted content is not supported with this model.' } };
    const reply = { id: 'resp_9', object: 'response', status: 'completed' };
    const pieces: string[] = [];
    plain.answer((response, { url = '' }) => {
      pieces.push(url);
      const refused = url.includes('include');
      response.writeHead(refused ? 400 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(refused ? refusal : { ...reply, output: [message('without')] }));
    });
    const { background } = row({ origin: new URL(plain.url).origin, responseId: 'resp_9' });
    const call = ask(plain.url, {}, { background }, OPTIONS);
    await expect(call).resolves.toMatchObject({ content: 'without' });
    expect(pieces).toHaveLength(2);
  });

  test('is asked for without a word of the endpoint about when, too', async () => {
    endpoint.state.pollAfterMs = undefined;
    await expect(asked(row().background)).resolves.toMatchObject({ content: 'made' });
  });

  test('that is there at once is an ordinary answer', async () => {
    plain.reply(200, { id: 'r', status: 'completed', output: [message('at once')] });
    const { kept, background } = row();
    const call = ask(plain.url, {}, { background }, OPTIONS);
    await expect(call).resolves.toMatchObject({ content: 'at once' });
    expect(kept).toEqual([]);
  });

  test.each([
    ['failed', 'model.unavailable'],
    ['cancelled', 'model.incomplete'],
    ['incomplete', 'model.incomplete'],
  ] as const)('that has %s is read as any that has', async (end, code) => {
    endpoint.state.end = end;
    await expect(modelError(asked(row().background))).resolves.toMatchObject({
      code,
      answered: { usage: { inputTokens: 100 } },
    });
  });

  test('is not asked for where nobody keeps its ID, nor where the endpoint has it off', async () => {
    plain.reply(200, { id: 'r', status: 'completed', output: [message('x')] });
    await ask(plain.url, {}, {}, OPTIONS);
    expect(plain.received.at(-1)?.body).not.toHaveProperty('background');
    await ask(plain.url, {}, { background: row().background }, { api: 'responses' });
    expect(plain.received.at(-1)?.body).not.toHaveProperty('background');
  });

  test('is not there in time, and goes on', async () => {
    endpoint.state.held = true;
    const call = asked(row().background, {}, { timeoutMs: 300 });
    await expect(modelError(call)).resolves.toMatchObject({
      code: 'model.pending',
      retryable: true,
      answered: undefined,
    });
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels: 0 });
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('is cancelled where the run is (%s), and not else', async (cancelled, cancels) => {
    endpoint.state.held = true;
    const stopping = new AbortController();
    const { background, cancel } = row();
    if (cancelled) cancel();
    const keep = async () => stopping.abort(new Error('it stops'));
    const call = asked({ ...background, keep }, {}, { signal: stopping.signal });
    await expect(call).rejects.toThrow('it stops');
    expect(endpoint.counts).toMatchObject({ creates: 1, cancels });
  });

  test('whose ID cannot be kept is asked for by nobody', async () => {
    const keep = () => Promise.reject(new Error('the claim is lost'));
    await expect(asked({ ...row().background, keep })).rejects.toThrow('the claim is lost');
    expect(endpoint.counts.polls).toBe(0);
  });
});

describe('one that an earlier attempt has left', () => {
  const YOUNG = { at: new Date().toISOString() };
  const OLD = { at: new Date(Date.now() - 61_000).toISOString() };
  const begun = () =>
    endpoint.made.set('resp_1', {
      id: 'resp_1',
      key: 'Bearer configured-key-0123456789',
      status: 'queued',
      request: { model: 'scripted' },
    });

  test('is asked for, and nothing else is made', async () => {
    begun();
    const { kept, background } = row(OLD);
    await expect(asked(background)).resolves.toMatchObject({ content: 'made' });
    expect(endpoint.counts.creates).toBe(0);
    expect(kept).toEqual([]);
  });

  test('is found also where the endpoint has it off by now', async () => {
    begun();
    const call = asked(row(OLD).background, { background: false });
    await expect(call).resolves.toMatchObject({ content: 'made' });
  });

  test.each([
    ['server', { origin: 'https://other.example' }],
    ['model', { model: 'another' }],
  ])('of another %s is let go before another is made', async (_name, other) => {
    const { kept, background } = row(other);
    await expect(asked(background)).resolves.toMatchObject({ content: 'made' });
    expect(kept).toEqual([undefined, expect.objectContaining({ responseId: 'resp_1' })]);
    expect(endpoint.counts.creates).toBe(1);
  });

  test.each<[string, (typeof endpoint.state.pollFaults)[number]]>([
    ['a broken connection', 'drop'],
    ['a page of a proxy', 'page'],
    ['a server error', { status: 500 }],
    ['a limit', { status: 429, headers: { 'retry-after-ms': '10' } }],
    ['no credit for the question', { status: 402 }],
    ['404, since it is young', { status: 404 }],
  ])('is asked for again after %s', async (_name, fault) => {
    begun();
    endpoint.state.pollFaults = [fault];
    await expect(asked(row(YOUNG).background)).resolves.toMatchObject({ content: 'made' });
    expect(endpoint.counts.creates).toBe(0);
  });

  test.each<[string, object, number]>([
    ['gone for good', OLD, 404],
    ["another key's", YOUNG, 403],
    ["another account's", YOUNG, 401],
  ])('that is %s is lost, and was paid for', async (_name, at, status) => {
    endpoint.state.pollFaults = [{ status }];
    await expect(modelError(asked(row(at).background))).resolves.toMatchObject({
      code: 'model.response_lost',
      retryable: true,
      answered: { model: 'scripted', usage: null },
    });
  });

  test.each([400, 405, 422])(
    'that an endpoint does not give (%i) is asked for no more',
    async (status) => {
      endpoint.state.pollFaults = [{ status }];
      await expect(modelError(asked(row(YOUNG).background))).resolves.toMatchObject({
        code: 'model.rejected',
        retryable: false,
        message: expect.stringMatching(/switch background off/),
        answered: { model: 'scripted', usage: null },
      });
    },
  );

  test('is not asked for without a pause, whatever the endpoint says', async () => {
    endpoint.state.held = true;
    endpoint.state.pollAfterMs = '0';
    await modelError(asked(row().background, {}, { timeoutMs: 1_000 }));
    expect(endpoint.counts.polls).toBeLessThan(7);
  });

  test('is asked for with a key that no message shows, though it was renewed since', async () => {
    const keys = ['first-opaque-value-1', 'second-opaque-value-2'];
    const apiKey = async () => keys[Math.min(endpoint.counts.creates, 1)] ?? '';
    endpoint.state.pollFaults = [{ status: 403, message: `${keys[1]} was denied` }];
    const error = await modelError(asked(row().background, { apiKey }));
    expect(error.message).toMatch(/\[redacted\] was denied/);
  });

  test('is asked for again where a key has expired that is renewed', async () => {
    begun();
    endpoint.state.pollFaults = [{ status: 401 }];
    const apiKey = () => Promise.resolve('configured-key-0123456789');
    const call = asked(row(YOUNG).background, { apiKey });
    await expect(call).resolves.toMatchObject({ content: 'made' });
  });
});

describe('a background', () => {
  test.each<[string, ModelEndpoint, RegExp]>([
    [
      'chat completions',
      { api: 'chat' },
      /^background of the model endpoint 'fast' is on, and chat/,
    ],
    ['a stream', { api: 'responses', stream: true }, /so is its stream/],
  ])('of %s is refused at the start', (_name, options, expected) => {
    const create = () =>
      createOpenAiModel({ baseUrl: plain.url, background: true, ...options }, 'fast');
    expect(create).toThrow(
      expect.objectContaining({
        code: 'config.invalid',
        message: expect.stringMatching(expected),
      }),
    );
  });

  test('of the environment is named as it is set', () => {
    expect(() => createOpenAiModel({ baseUrl: plain.url, background: true })).toThrow(
      /^OPENAI_BACKGROUND is on, and chat completions have no background: set OPENAI_API/,
    );
  });

  test('that an endpoint refuses is to be switched off', async () => {
    plain.reply(400, { error: { message: 'Background responses must be stored.' } });
    const call = createOpenAiModel({ ...OPTIONS, baseUrl: plain.url }).complete(
      request,
      context({ background: row().background }),
    );
    const error = await modelError(call);
    expect(error).toMatchObject({ code: 'model.rejected', retryable: false });
    expect(error.message).toMatch(/Switch OPENAI_BACKGROUND off for it\./);
  });
});
