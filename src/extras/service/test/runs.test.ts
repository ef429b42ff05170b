import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  openTestKeys,
  startTestService,
  type TestKeys,
  type TestService,
} from './support/service.ts';
import {
  calls,
  script,
  startTestSystem,
  type TestSystem,
} from '../../../../test/support/system.ts';

let system: TestSystem;
let service: TestService;
let keys: TestKeys;
let key: string;

beforeAll(async () => {
  system = await startTestSystem();
  await system.startWorker();
  service = await startTestService(system);
  keys = await openTestKeys(system);
  key = await keys.keyOf();
});
afterAll(async () => {
  await service.stop();
  await keys.close();
  await system.close();
});

const send = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
  fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

const start = (idempotencyKey: string, body: unknown, headers = {}) =>
  send('POST', '/v1/agents/tester/runs', { 'idempotency-key': idempotencyKey, ...headers }, body);

const ok = { input: script({ say: 'ok' }) };

describe('starting a run', () => {
  test('answers 202 with its address; the same again is a replay', async () => {
    const first = await start('"k-1"', ok);
    expect(first.status).toBe(202);
    expect(first.headers.get('location')).toBe('/v1/runs/agent-tester-k-1');
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(await first.json()).toMatchObject({ id: 'agent-tester-k-1', status: 'running' });
    const again = await start('k-1', ok);
    expect(again.status).toBe(202);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = await start('k-1', { input: 'else' });
    expect(other.status).toBe(422);
    expect(other.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await other.json()).toMatchObject({ status: 422, code: 'key.conflict' });
  });

  test('waits as long as the caller prefers', async () => {
    const answer = await start('k-wait', ok, { prefer: 'wait=20' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
    expect(await answer.json()).toMatchObject({ status: 'completed', result: 'ok' });
  });

  test.each([
    ['missing', undefined, 'http.key_missing'],
    ['empty', '', 'key.invalid'],
    ['an empty string', '""', 'key.invalid'],
    ['an integer', '42', 'key.invalid'],
    ['a list', '"a", "b"', 'key.invalid'],
  ])('refuses a key that is %s', async (_name, header, code) => {
    const headers: Record<string, string> =
      header === undefined ? {} : { 'idempotency-key': header };
    const answer = await send('POST', '/v1/agents/tester/runs', headers, ok);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code });
  });
});

test('a run is read, followed, explained and cancelled', async () => {
  await start('k-all', { input: script(calls(['look', { label: 'http' }]), { say: 'done' }) });
  const id = 'agent-tester-k-all';
  const events = await send('GET', `/v1/runs/${id}/events`);
  expect(events.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const sent = await events.text();
  expect(sent).toMatch(/event: step\nid: .*t1\.c0/);
  expect(sent).toMatch(/event: end\nid: end/);
  const read = await send('GET', `/v1/runs/${id}`);
  expect(await read.json()).toMatchObject({ status: 'completed', result: 'done' });
  const etag = read.headers.get('etag') ?? '';
  const same = await send('GET', `/v1/runs/${id}`, { 'if-none-match': etag });
  expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, etag, '']);
  expect(same.headers.get('content-type')).toBeNull();
  expect(same.headers.get('content-length')).toBeNull();
  const steps = await send('GET', `/v1/runs/${id}/steps`);
  expect(await steps.json()).toMatchObject({ steps: expect.arrayContaining([]) });
  expect((await send('POST', `/v1/runs/${id}/cancel`)).status).toBe(202);
  expect((await send('PUT', `/v1/runs/${id}`)).status).toBe(405);
  expect((await send('GET', '/v1/runs/agent-tester-none')).status).toBe(404);
  const document = (await (await send('GET', '/openapi.json')).json()) as { openapi: string };
  expect(document.openapi).toBe('3.1.0');
});

test('a run and its steps tell what was cached and thought', async () => {
  const parts = { cachedInputTokens: 9_000, reasoningTokens: 60 };
  const usage = { inputTokens: 10_000, outputTokens: 100, ...parts };
  const body = { input: script({ say: 'ok', usage }), options: { model: 'gpt-5.2' } };
  const run = await start('k-cached', body, { prefer: 'wait=20' });
  expect(await run.json()).toMatchObject({ usage: { ...usage, costUsd: 0.004725 } });
  const steps = await send('GET', '/v1/runs/agent-tester-k-cached/steps');
  expect(await steps.json()).toMatchObject({
    usage,
    steps: [{ id: 't1.model', usage: { ...usage, costUsd: 0.004725 } }],
  });
});

test('a run is resumed with another model, less thinking and fewer tokens; a start takes none of it', async () => {
  const limits = { model: 'model-b', reasoningEffort: 'low', maxOutputTokens: 900 };
  system.counter.fail('charge:elsewhere');
  const body = { input: script(calls(['charge', { label: 'elsewhere' }]), { say: 'charged' }) };
  const path = '/v1/runs/agent-tester-elsewhere';
  const resume = (asked: object) => send('POST', `${path}/resume`, {}, { limits: asked });
  for (const name of Object.keys(limits) as (keyof typeof limits)[]) {
    const refused = await start('elsewhere', { ...body, limits: { [name]: limits[name] } });
    expect({ name, status: refused.status }).toEqual({ name, status: 400 });
  }
  const failed = await start('elsewhere', body, { prefer: 'wait=20' });
  expect(await failed.json()).toMatchObject({ status: 'failed' });
  const wrong = [{ model: '' }, { reasoningEffort: 'Very much' }, { maxOutputTokens: 0 }, { a: 1 }];
  for (const asked of wrong) expect((await resume(asked)).status).toBe(400);

  system.counter.heal('charge:elsewhere');
  const resumed = await resume(limits);
  expect(resumed.status).toBe(202);
  expect(resumed.headers.get('idempotent-replayed')).toBeNull();
  const read = await send('GET', path, { prefer: 'wait=20' });
  expect(await read.json()).toMatchObject({ status: 'completed', result: 'charged' });
  const steps = (await (await send('GET', `${path}/steps`)).json()) as Record<string, unknown>;
  expect(steps).toMatchObject({ executions: [{}, { intent: 'resume', resumedWith: limits }] });
  expect(await system.receivedBy(`${String(steps['scope'])}:t2.model`)).toMatchObject([
    { body: { model: 'model-b', reasoning_effort: 'low', max_completion_tokens: 900 } },
  ]);
  // The request is the first one, whatever the run was resumed with.
  const again = await start('elsewhere', body);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
});

test('a run has the priority that its start asks for, which is no part of the request', async () => {
  const body = { input: script({ say: 'ok' }) };
  const first = await start('k-priority', { ...body, limits: { priority: 2 } });
  expect(first.status).toBe(202);
  const again = await start('k-priority', { ...body, limits: { priority: 1 } });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  const handle = system.temporal.workflow.getHandle('agent-tester-k-priority');
  const { raw } = await handle.describe();
  expect(raw.workflowExecutionInfo?.priority?.priorityKey).toBe(2);
  const wrong = await start('k-other', { ...body, limits: { priority: 6 } });
  expect(wrong.status).toBe(400);
});

describe('what is said to whoever calls', () => {
  test('names no file, no flag and no other agent', async () => {
    const headers = { 'idempotency-key': '"k-unknown"' };
    const unknown = await send('POST', '/v1/agents/nobody/runs', headers, ok);
    expect(unknown.status).toBe(404);
    const { code, detail } = (await unknown.json()) as { code: string; detail: string };
    expect(code).toBe('agent.unknown');
    expect(detail).not.toMatch(/src\/|tester/);
    await start('"k-ended"', ok, { prefer: 'wait=20' });
    const path = '/v1/runs/agent-tester-k-ended/steps/t1.c0/decision';
    const ended = await send('POST', path, {}, { decision: 'approve', by: 'ann' });
    expect(ended.status).toBe(409);
    const problem = (await ended.json()) as { code: string; detail: string };
    expect(problem.code).toBe('decision.not_asked');
    expect(problem.detail).not.toMatch(/--/);
  });
});

test.each(['0x10', '1e2', '+1', ' 1', '1.0', ''])('a limit is no %p', async (limit) => {
  const answer = await send('GET', `/v1/runs?limit=${encodeURIComponent(limit)}`);
  expect(answer.status).toBe(400);
});

test.each([
  ['foo="a, wait=5"', null],
  [String.raw`foo="a\", wait=5"`, null],
  ['foo="a;b", wait=20', 'wait=20'],
  ['wait="20"', 'wait=20'],
  ['wait=99999999', 'wait=55'],
])('Prefer: %s is read as %p', async (prefer, applied) => {
  await start('"k-prefer"', ok, { prefer: 'wait=20' });
  const answer = await send('GET', '/v1/runs/agent-tester-k-prefer', { prefer });
  expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, applied]);
});

describe('a request that no route sees is answered with a problem:', () => {
  /** Sends what no client would, and reads all that comes. */
  const raw = async (lines: string[]): Promise<string> => {
    const { hostname, port } = new URL(service.url);
    const socket = net.connect(Number(port), hostname).setEncoding('utf8');
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return text(socket);
  };
  const last = ['Host: localhost', 'Connection: close'];

  test.each([
    ['an address that cannot be decoded', 400, ['GET /v1/runs/%ff HTTP/1.1', ...last]],
    ['no HTTP', 400, ['nonsense']],
    ['no host', 400, ['GET /v1/runs HTTP/1.1', 'Connection: close']],
    ['an expectation', 417, ['GET /v1/runs HTTP/1.1', 'Expect: tea', ...last]],
    ['a large header', 431, ['GET /v1/runs HTTP/1.1', `X: ${'x'.repeat(20_000)}`, ...last]],
  ])('%s', async (_what, status, lines) => {
    const [head = '', body = ''] = (await raw(lines)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n`));
    expect(head).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(head).toMatch(/\r\nx-content-type-options: nosniff/i);
    expect(head).not.toMatch(/strict-transport-security/i);
    expect(JSON.parse(body)).toMatchObject({ status, code: expect.stringMatching(/^http\./) });
  });
});
