import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestModel, type TestModel } from '../support/model/test-model.ts';
import { API_KEY, ask, modelError } from './ask.ts';
import { startEndpoint, type Endpoint } from './http-endpoint.ts';

const run = promisify(execFile);

/** Until a date some seventy years away. */
const FAR_AWAY = expect.any(Number);

let scripted: TestModel;
let endpoint: Endpoint;

beforeAll(async () => {
  [scripted, endpoint] = await Promise.all([startTestModel(), startEndpoint()]);
});
afterAll(() => Promise.all([scripted.stop(), endpoint.stop()]));

const control = (path: string, method: string, body?: object) =>
  fetch(new URL(path, scripted.url), {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });

afterEach(() => control('/faults', 'DELETE'));

async function faultOf(fault: object) {
  const ordered = await control('/faults', 'POST', { faults: [fault] });
  expect(ordered.ok).toBe(true);
  return modelError(ask(scripted.url));
}

describe('from the scripted model', () => {
  test.each([
    [{ kind: 'drop' }, 'model.unreachable', true],
    [{ kind: 'break' }, 'model.broken_off', true],
    [{ kind: 'malformed-json' }, 'model.bad_answer', true],
    [{ kind: 'html' }, 'model.bad_answer', true],
    [{ kind: 'empty-object' }, 'model.bad_answer', true],
    [{ kind: 'insufficient-quota' }, 'model.quota_exhausted', false],
    [{ kind: 'rate-limit' }, 'model.rate_limited', true],
    [{ kind: 'status', status: 400 }, 'model.rejected', false],
    [{ kind: 'status', status: 401 }, 'model.rejected', false],
    [{ kind: 'status', status: 404 }, 'model.rejected', false],
    [{ kind: 'status', status: 408 }, 'model.timeout', true],
    [{ kind: 'status', status: 409 }, 'model.unavailable', true],
    [{ kind: 'status', status: 422 }, 'model.rejected', false],
    [{ kind: 'status', status: 500 }, 'model.unavailable', true],
    [{ kind: 'status', status: 503 }, 'model.unavailable', true],
    [{ kind: 'status', status: 599 }, 'model.unavailable', true],
  ])('%j is %s, asked again: %s', async (fault, code, retryable) => {
    expect(await faultOf(fault)).toMatchObject({ code, retryable });
  });

  // In a process of its own: the runner's realm hides from `openai` that an abort is an Error, and
  // so that the request timed out.
  test.each([
    ['hang', ''],
    ['hang-in-body', ''],
    ['hang', 'stream'],
  ])('%s is a timeout, asked again %s', async (kind, how) => {
    await control('/faults', 'POST', { faults: [{ kind }] });
    const script = fileURLToPath(new URL('./ask-main.ts', import.meta.url));
    const { stdout } = await run(process.execPath, [
      '--import',
      './bin/register-typescript.js',
      script,
      scripted.url,
      '300',
      how,
    ]);
    expect(JSON.parse(stdout)).toEqual({
      code: 'model.timeout',
      retryable: true,
      message: 'The model endpoint did not answer within 300 ms.',
    });
  });

  test('is one request each: the package retries nothing', async () => {
    const requests = async () => {
      const counters = (await (await control('/counters', 'GET')).json()) as { requests: number };
      return counters.requests;
    };
    const before = await requests();
    await faultOf({ kind: 'status', status: 500 });
    await faultOf({ kind: 'drop' });
    expect(await requests()).toBe(before + 2);
  });

  test.each([
    ['ms', 1234, 1234],
    ['seconds', 2000, 2000],
    ['none', 2000, undefined],
  ])('a wait in the form %s is passed on', async (retryAfter, waitMs, expected) => {
    const error = await faultOf({ kind: 'rate-limit', retryAfter, waitMs });
    expect(error.retryAfterMs).toBe(expected);
  });

  test('a wait until a date is passed on', async () => {
    const error = await faultOf({ kind: 'rate-limit', retryAfter: 'date', waitMs: 30_000 });
    expect(error.retryAfterMs).toBeGreaterThan(20_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(31_000);
  });

  test.each([
    [400, 'true', true],
    [500, 'false', false],
    [429, 'false', false],
    [503, 'maybe', true],
  ])('%i with x-should-retry %s is asked again: %s', async (status, told, retryable) => {
    const error = await faultOf({ kind: 'status', status, headers: { 'x-should-retry': told } });
    expect(error.retryable).toBe(retryable);
  });
});

describe('cancellation', () => {
  test('of a request in flight is the reason it was cancelled with', async () => {
    await control('/faults', 'POST', { faults: [{ kind: 'hang' }] });
    const cancelling = new AbortController();
    const call = ask(scripted.url, {}, { signal: cancelling.signal });
    const reason = new Error('the run was cancelled');
    cancelling.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  test('in the middle of the answer reaches the endpoint', async () => {
    const wire = new EventEmitter();
    const begun = once(wire, 'begun');
    const gone = once(wire, 'gone');
    endpoint.answer((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"choices":', () => wire.emit('begun'));
      response.on('close', () => wire.emit('gone'));
    });
    const cancelling = new AbortController();
    const call = ask(endpoint.url, {}, { signal: cancelling.signal });
    const ended = expect(call).rejects.toBe('stop');
    await begun;
    cancelling.abort('stop');
    await ended;
    await gone;
  });

  test('before the call sends nothing', async () => {
    const before = endpoint.received.length;
    const call = ask(endpoint.url, {}, { signal: AbortSignal.abort('early') });
    await expect(call).rejects.toBe('early');
    expect(endpoint.received.length).toBe(before);
  });
});

describe('from odd endpoints', () => {
  test('nobody listens: unreachable, with the address', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const error = await modelError(ask(`http://127.0.0.1:${port}/v1`));
    expect(error).toMatchObject({ code: 'model.unreachable', retryable: true });
    expect(error.message).toMatch(/ECONNREFUSED.*OPENAI_BASE_URL/);
  });

  test.each([
    [
      'text/html with an error status',
      502,
      '<html><h1>Bad gateway</h1>',
      /502\. It said: a web page$/,
    ],
    ['an empty body', 503, '', /answered 503\.$/],
    ['an error that is a text', 400, { error: 'no such model' }, /no such model/],
  ])('%s', async (_what, status, body, message) => {
    endpoint.reply(status, body);
    expect((await modelError(ask(endpoint.url))).message.trim()).toMatch(message);
  });

  test('an error inside a 200 is named', async () => {
    endpoint.reply(200, { error: { message: 'upstream sk-abcdef123456 is busy', code: 502 } });
    const error = await modelError(ask(endpoint.url));
    // The provider behind a gateway may have counted it: what it cost is not known.
    const answered = { usage: null };
    expect(error).toMatchObject({ code: 'model.unavailable', retryable: true, answered });
    expect(error.message).toMatch(/upstream \[redacted\] is busy/);
  });

  test.each([
    ['no choices', { choices: [] }],
    ['no message', { choices: [{ finish_reason: 'stop' }] }],
    ['nothing in the message', { choices: [{ message: {}, finish_reason: 'stop' }] }],
    ['a list', []],
    ['null', null],
  ])('200 with %s is a bad answer', async (_what, body) => {
    endpoint.reply(200, body);
    expect(await modelError(ask(endpoint.url))).toMatchObject({
      code: 'model.bad_answer',
      retryable: true,
    });
  });

  test('says what to check when the key or the name is wrong', async () => {
    endpoint.reply(401, { error: { message: 'Incorrect API key provided: sk-pr**********wxyz.' } });
    const unauthorised = await modelError(ask(endpoint.url));
    expect(unauthorised.message).toMatch(/answered 401\. Check OPENAI_API_KEY/);
    expect(unauthorised.message).not.toMatch(/wxyz/);
    endpoint.reply(404, { error: { message: 'The model `gpt-6` does not exist' } });
    expect((await modelError(ask(endpoint.url))).message).toMatch(
      /OPENAI_BASE_URL and the model's name.*gpt-6/,
    );
  });

  test.each([
    ['the configured key', API_KEY],
    ['the configured key within a word', `x${API_KEY}y`],
    ['a key by its look', 'sk-proj-AbC_123-xyz'],
    ['a masked key', 'sk-abcd****************7890'],
    ['a bearer', 'Bearer abc.def-ghi'],
    ['a header', 'authorization: Basic dXNlcjpwYXNz'],
    ['a named key', '"api_key": "0a1b2c3d4e5f"'],
    ['a web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc'],
    ['a URL with a password', 'https://user:hunter2@proxy.example/v1'],
  ])('never repeats %s', async (_what, secret) => {
    endpoint.reply(400, { error: { message: `before ${secret} after` } });
    const error = await modelError(ask(endpoint.url));
    const told = JSON.stringify({ ...error, message: error.message, stack: error.stack });
    expect(error.message).toMatch(/before .*\[redacted\].*after/);
    for (const part of [
      secret,
      API_KEY,
      'dXNlcjpwYXNz',
      'abc.def-ghi',
      'hunter2',
      '0a1b2c3d',
      '7890',
    ])
      expect(told).not.toContain(part);
    expect(error.cause).toBeUndefined();
  });

  test('says little, in one line, however much the endpoint says', async () => {
    endpoint.reply(400, { error: { message: `\u001b[31m${'ä\n'.repeat(2_000_000)}` } });
    const { message } = await modelError(ask(endpoint.url));
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(Buffer.byteLength(message)).toBeGreaterThan(900);
    expect(message).not.toMatch(/[\n\u001b\ufffd]/);
  });

  test.each([
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
    [{ 'retry-after': '0.25' }, 250],
    [{ 'retry-after': '86400' }, 86_400_000],
    [{ 'retry-after': '1e9' }, undefined],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': '0' }, undefined],
    [{ 'retry-after': 'in 5 minutes' }, undefined],
    [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, undefined],
    [{ 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' }, FAR_AWAY],
    [{ 'retry-after': 'Wednesday, not a date' }, undefined],
    [{}, undefined],
  ])('%j is a wait of %s ms', async (headers, expected) => {
    endpoint.reply(503, { error: { message: 'busy' } }, headers as Record<string, string>);
    expect((await modelError(ask(endpoint.url))).retryAfterMs).toEqual(expected);
  });
});
