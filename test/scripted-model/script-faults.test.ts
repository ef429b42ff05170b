import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chat, respond, script, startModel } from '../support/model/client.ts';
import type { TestModel } from '../support/model/test-model.ts';

let model: TestModel;

beforeAll(async () => {
  model = await startModel();
});
afterAll(async () => {
  await model.stop();
});

/** Both APIs answer the same to these. */
const APIS = [
  ['chat completions', chat],
  ['responses', respond],
] as const;

describe.each(APIS)('a fault in %s', (_name, ask) => {
  // A key of its own for each: without one, a conversation has its faults once, not once per API.
  const failing = (fault: object, base = model.url) =>
    ask(base, [script({ say: 'well', fault })], {}, crypto.randomUUID());

  test('sends the right JSON as text', async () => {
    const { status, type, body } = await failing({ kind: 'text-plain' });
    expect([status, type]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(JSON.parse(String(body))).toHaveProperty('object');
  });

  test('sends an event stream that nobody asked for', async () => {
    const { status, type, body } = await failing({ kind: 'event-stream' });
    expect([status, type]).toEqual([200, 'text/event-stream']);
    expect(body).toContain('data: {');
  });

  test.each([402, 429, 502])('sends an error %i with status 200', async (code) => {
    const { status, body } = await failing({ kind: 'error-in-body', code, message: 'Bad luck.' });
    expect(status).toBe(200);
    expect(body).toEqual({ error: { code, message: 'Bad luck.' } });
  });

  test('sends 402', async () => {
    expect((await failing({ kind: 'status', status: 402 })).status).toBe(402);
  });

  test('filters what was asked, as Azure does', async () => {
    const { status, body } = await failing({ kind: 'prompt-filtered' }, model.dialectUrl('azure'));
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } },
    });
  });

  test('cannot read a call, as Groq says it', async () => {
    const failedGeneration = '<function=echo{"text"';
    const { status, body } = await failing({ kind: 'tool-use-failed', failedGeneration });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { code: 'tool_use_failed', failed_generation: failedGeneration },
    });
  });

  test('refuses another body under the same key', async () => {
    const { status, body } = await failing({ kind: 'key-conflict' });
    expect(status).toBe(409);
    expect(body).toMatchObject({ error: { type: 'idempotency_error' } });
  });

  test('says in words how long to wait', async () => {
    const message = 'Please retry in 10h17m20s';
    const fault = { kind: 'rate-limit', retryAfter: 'none', message };
    const { status, headers, body } = await failing(fault);
    expect(status).toBe(429);
    expect(headers.has('retry-after')).toBe(false);
    expect(body).toMatchObject({ error: { message } });
  });

  test('is played for a step, whatever hash its key ends with', async () => {
    const ask503 = (key: string) => {
      const entry = { say: 'well', fault: { kind: 'status', status: 503, times: 2 } };
      return ask(model.url, [script(entry)], {}, key);
    };
    const step = `${_name}.model`;
    expect((await ask503(`${step}~0123456789ab`)).status).toBe(503);
    expect((await ask503(`${step}~ba9876543210`)).status).toBe(503);
    expect((await ask503(`${step}~0123456789ab`)).status).toBe(200);
  });

  test('answers when it was played', async () => {
    const entry = { say: 'well', fault: { kind: 'break' } };
    await expect(ask(model.url, [script(entry)], {}, `${_name}.b`)).rejects.toThrow('terminated');
    expect((await ask(model.url, [script(entry)], {}, `${_name}.b`)).status).toBe(200);
  });
});

test('an answer that fails half-way has the error in its choice, or a failed status', async () => {
  const fault = { kind: 'error-in-choice', code: 502, message: 'Upstream is gone.' };
  const entry = script({ say: 'half', fault });
  expect((await chat(model.url, [entry], {}, 'half.chat')).body).toMatchObject({
    choices: [
      {
        message: { content: 'half' },
        finish_reason: 'error',
        error: { code: 502, message: 'Upstream is gone.' },
      },
    ],
  });
  expect((await respond(model.url, [entry], {}, 'half.responses')).body).toMatchObject({
    status: 'failed',
    error: { message: 'Upstream is gone.' },
  });
});
