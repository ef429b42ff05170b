import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../../../contract/json.ts';
import { sha256Base64url } from '../../../contract/hash.ts';
import { sendRaw, startHttpSuite, type HttpSuite, type Sent } from './support/http-suite.ts';

let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite();
});
afterAll(() => suite.close());

describe('no answer is kept by anybody who sees it:', () => {
  const requests: [method: string, path: string, more?: Sent][] = [
    ['GET', '/v1/runs'],
    ['GET', '/v%31/runs'],
    ['GET', '/%76%31/runs'],
    ['GET', '/v%31/runs/agent-tester-none'],
    ['HEAD', '/v%31/runs'],
    ['OPTIONS', '/v%31/runs'],
    ['DELETE', '/v%31/runs'],
    ['GET', '/v%31/runs/agent-tester-none/events'],
    ['GET', '/v1/runs/%ff'],
    ['GET', '/v%31/nothing'],
    ['GET', '/nothing'],
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/openapi.json'],
    ['GET', '/v%31/runs', { headers: { authorization: 'Bearer ao_none' } }],
    ['POST', '/v%31/agents/tester/runs', { body: '{' }],
    ['POST', '/v%31/agents/tester/runs', { body: 'x'.repeat(1024 * 1024 + 1) }],
    ['POST', '/v%31/agents/tester/runs', { headers: { 'idempotency-key': '"n"' }, body: {} }],
  ];
  test('whatever its address looks like', async () => {
    for (const [method, path, more] of requests) {
      const answer = await suite.send(method, path, more);
      const told = answer.headers.get('cache-control');
      expect(`${method} ${path}: ${told}`).toBe(`${method} ${path}: no-store`);
      await answer.arrayBuffer();
    }
  });

  test('a request that is no HTTP', async () => {
    const answer = await sendRaw(suite, ['no header'], '');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store']);
  });
});

describe('a second key is seen, however many lines stand before it:', () => {
  const others = (count: number) => Array.from({ length: count }, (_, i) => `a${i}:1`);
  test.each([
    [10, 400, 'key.invalid'],
    [950, 400, 'key.invalid'],
    [1_010, 431, 'http.header_too_large'],
    [1_500, 431, 'http.header_too_large'],
  ])('%d', async (count, status, code) => {
    const lines = ['Idempotency-Key: "one"', ...others(count), 'Idempotency-Key: "two"'];
    const answer = await sendRaw(suite, lines, '{"input":1}');
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
  });
});

describe('a null character is refused', () => {
  test.each(['', '/steps', '/events'])('in the ID of a run, GET %s', async (part) => {
    const answer = await suite.send('GET', `/v1/runs/agent-tester-a%00b${part}`);
    expect(answer.status).toBe(400);
  });

  test.each(['/cancel', '/resume', '/forget'])('in the ID of a run, POST %s', async (part) => {
    const answer = await suite.send('POST', `/v1/runs/agent-tester-a%00b${part}`);
    expect(answer.status).toBe(400);
  });

  test.each([
    ['of an agent', '/v1/agents/te%00ter/runs'],
    ['of an agent that gets events', '/v1/agents/tester%00/events'],
    ['of a step', '/v1/runs/agent-tester-a/steps/t1.c0%00/decision'],
  ])('in an address: %s', async (_what, path) => {
    const body = { decision: 'approve', by: 'ann' };
    const headers = { 'idempotency-key': '"null"' };
    expect((await suite.send('POST', path, { body, headers })).status).toBe(400);
  });

  test.each(['agent', 'key', 'cursor', 'status'])('in a query: %s', async (name) => {
    expect((await suite.send('GET', `/v1/runs?${name}=a%00`)).status).toBe(400);
  });

  test("in the model's name, and the key stays free", async () => {
    const refused = await suite.start('"model"', { input: 1, options: { model: 'a\0b' } });
    expect(refused.status).toBe(400);
    const corrected = await suite.start('"model"', { input: 1, options: { model: 'ab' } });
    expect([corrected.status, corrected.headers.get('idempotent-replayed')]).toEqual([202, null]);
  });
});

describe('a cursor that its caller has made', () => {
  /** With the check that a cursor of this list would have. */
  const forged = (token: string) => {
    const check = sha256Base64url(canonicalJson([token, { tenant: 'default' }])).slice(0, 11);
    return suite.send('GET', `/v1/runs?cursor=${token}.${check}`);
  };

  test.each(['{}x', 'null', '[]', '{"SearchAfter":"x"}'])('is refused: %s', async (token) => {
    const answer = await forged(Buffer.from(token).toString('base64url'));
    // Some are tokens to Temporal too: of no place that there is.
    expect([200, 400]).toContain(answer.status);
    if (token === '{}x') expect(answer.status).toBe(400);
  });
});
