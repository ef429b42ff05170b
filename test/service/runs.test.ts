import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  openTestKeys,
  startTestService,
  type TestKeys,
  type TestService,
} from '../support/service.ts';
import { calls, script, startTestSystem, type TestSystem } from '../support/system.ts';

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
  const text = await events.text();
  expect(text).toMatch(/event: step\nid: .*t1\.c0/);
  expect(text).toMatch(/event: end\nid: end\n/);
  const read = await send('GET', `/v1/runs/${id}`);
  expect(await read.json()).toMatchObject({ status: 'completed', result: 'done' });
  const etag = read.headers.get('etag') ?? '';
  expect((await send('GET', `/v1/runs/${id}`, { 'if-none-match': etag })).status).toBe(304);
  const steps = await send('GET', `/v1/runs/${id}/steps`);
  expect(await steps.json()).toMatchObject({ steps: expect.arrayContaining([]) });
  expect((await send('POST', `/v1/runs/${id}/cancel`)).status).toBe(202);
  expect((await send('PUT', `/v1/runs/${id}`)).status).toBe(405);
  expect((await send('GET', '/v1/runs/agent-tester-none')).status).toBe(404);
  const document = (await (await send('GET', '/openapi.json')).json()) as { openapi: string };
  expect(document.openapi).toBe('3.1.0');
});
