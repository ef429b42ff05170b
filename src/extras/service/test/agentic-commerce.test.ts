import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import { calls, script } from '../../../../test/support/system.ts';

/** As the Agentic Commerce Protocol wants it (2026-04-17, section 6): 409 while a request is worked on. */
let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite({ AGENT_ONCE_HTTP_DUPLICATES: 'conflict' });
});
afterAll(() => suite.close());

/** Its keys are opaque: not quoted. */
async function start(key: string, body: unknown, agent = 'tester') {
  const answer = await suite.start(key, body, { agent });
  const { code } = (await answer.json()) as { code?: string };
  return {
    status: answer.status,
    code,
    replayed: answer.headers.get('idempotent-replayed'),
    retryAfter: answer.headers.get('retry-after'),
    location: answer.headers.get('location'),
  };
}

test('A1 without the header: 400', async () => {
  const answer = await suite.send('POST', '/v1/agents/tester/runs', { body: { input: 1 } });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'http.key_missing' });
});

test('A2 an opaque key of up to 255 characters; 256 are 400', async () => {
  const longest = 'k'.repeat(255);
  expect(await start(longest, { input: 1 })).toMatchObject({ status: 202, replayed: null });
  expect(await start(`${longest}k`, { input: 1 })).toMatchObject({ status: 400 });
});

test('A3, A4 while the first is worked on: 409 with Retry-After; another body: 422', async () => {
  const key = randomUUID();
  expect(await start(key, { input: 1 })).toMatchObject({ status: 202, replayed: null });
  expect(await start(key, { input: 1 })).toMatchObject({
    status: 409,
    code: 'http.duplicate_in_progress',
    retryAfter: expect.stringMatching(/^\d+$/),
  });
  expect(await start(key, { input: 2 })).toMatchObject({ status: 422, code: 'key.conflict' });
});

test('A5 keys are those of an identity and an endpoint', async () => {
  const key = randomUUID();
  const here = await start(key, { input: 1 });
  const there = await start(key, { input: 1 }, 'brief');
  const headers = { authorization: `Bearer ${await suite.keys.keyOf('acme')}` };
  const other = await suite.start(key, { input: 1 }, { headers });
  expect([here.status, there.status, other.status]).toEqual([202, 202, 202]);
  const places = [here.location, there.location, other.headers.get('location')];
  expect(new Set(places).size).toBe(3);
});

describe('when the first has ended', () => {
  beforeAll(() => suite.system.startWorker());

  /** Starts a run and waits for its end, however it ends. */
  async function ended(key: string, body: unknown): Promise<void> {
    const answer = await suite.start(key, body, { headers: { prefer: 'wait=30' } });
    expect(await answer.json()).toMatchObject({ closedAt: expect.any(String) });
  }

  test('A6 the same request: the same status, Idempotent-Replayed, and nothing is done again', async () => {
    const label = randomUUID();
    const body = { input: script(calls(['charge', { label }]), { say: 'done' }) };
    const headers = { prefer: 'wait=30' };
    const first = await suite.start(label, body, { headers });
    const again = await suite.start(label, body, { headers });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([
      first.status,
      'true',
    ]);
    expect(await again.json()).toEqual(await first.json());
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(suite.system.counter.requests(`charge:${label}`)).toBe(1);
  });

  test.each<[string, string, 'same' | 'other']>([
    ['another order of members', '{"input":{"list":[1,2],"a":1,"script":[{"say":"x"}]}}', 'same'],
    ['1.0 in the place of 1', '{"input":{"script":[{"say":"x"}],"a":1.0,"list":[1,2]}}', 'same'],
    ['another order in a list', '{"input":{"script":[{"say":"x"}],"a":1,"list":[2,1]}}', 'other'],
    [
      'null in the place of nothing',
      '{"input":{"script":[{"say":"x"}],"a":1,"list":[1,2],"n":null}}',
      'other',
    ],
    ['another body', '{"input":"else"}', 'other'],
  ])('A7, A8 with %s', async (_, body, expected) => {
    const key = randomUUID();
    await ended(key, { input: { script: [{ say: 'x' }], a: 1, list: [1, 2] } });
    expect(await start(key, body)).toMatchObject(
      expected === 'same'
        ? { status: 202, replayed: 'true' }
        : { status: 422, code: 'key.conflict', replayed: null },
    );
  });
});
