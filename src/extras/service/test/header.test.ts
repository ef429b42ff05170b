import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sendRaw, startHttpSuite, type HttpSuite } from './support/http-suite.ts';
import type { TestService } from './support/service.ts';

const UUID = '8e03978e-40d5-43dd-bc93-6894a57f9324';

let suite: HttpSuite;
let strict: TestService;

beforeAll(async () => {
  suite = await startHttpSuite();
  strict = await suite.startAnother({ AGENT_ONCE_HTTP_STRICT_KEYS: 'on' });
});
afterAll(() => suite.close());

/** Starts the same run under a header as it stands on the wire. */
const start = (header: string) => suite.start(header, { input: 'header' });

async function keyOf(answer: Response): Promise<unknown> {
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { key: string }).key;
}

const isReplay = (answer: Response) => answer.headers.get('idempotent-replayed') === 'true';

test('1 a key that is missing is refused, and nothing is started', async () => {
  const answer = await suite.send('POST', '/v1/agents/tester/runs', { body: { input: 1 } });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(await answer.json()).toMatchObject({
    type: 'urn:agent-once:problem:http.key_missing',
    status: 400,
    code: 'http.key_missing',
  });
});

describe('a key that is refused', () => {
  test.each([
    ['2 empty', ['Idempotency-Key:']],
    ['2 an empty string', ['Idempotency-Key: ""']],
    ['6 two lines', ['Idempotency-Key: "a"', 'Idempotency-Key: "b"']],
    ['6 two equal lines', ['Idempotency-Key: "a"', 'idempotency-key: "a"']],
    ['6 a list in one line', ['Idempotency-Key: "a", "b"']],
    ['7 unterminated', ['Idempotency-Key: "a']],
    ['8 not ASCII', ['Idempotency-Key: "ä"']],
    ['8 not ASCII and bare', ['Idempotency-Key: ä']],
    ['10 an escape that there is not', ['Idempotency-Key: "a\\b"']],
    ['11 of 256 characters', [`Idempotency-Key: "${'k'.repeat(256)}"`]],
    ['12 an integer', ['Idempotency-Key: 42']],
    ['12 a boolean', ['Idempotency-Key: ?1']],
    ['12 bytes', ['Idempotency-Key: :YWJj:']],
  ])('%s', async (_what, lines) => {
    const answer = await sendRaw(suite, lines, '{"input":1}');
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'key.invalid' });
  });

  test('8 with a control character', async () => {
    const lines = ['Idempotency-Key: "a\u0001b"'];
    const answer = await sendRaw(suite, lines, '{"input":1}');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });
});

describe('a key that is accepted', () => {
  test.each([
    ['3 a quoted UUID', `"${UUID}"`, UUID],
    ['4 a bare UUID that begins with a letter', `a${UUID.slice(1)}`, `a${UUID.slice(1)}`],
    ['4 a bare UUID that begins with a digit', `9${UUID.slice(1)}`, `9${UUID.slice(1)}`],
    ['10 escapes', '"a\\"b\\\\c"', 'a"b\\c'],
    ['11 255 characters', `"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ])('%s', async (_what, header, key) => {
    const answer = await start(header);
    expect(isReplay(answer)).toBe(false);
    expect(await keyOf(answer)).toBe(key);
  });

  test('5 quoted and then bare it is the same key; in strict mode only the quoted one is', async () => {
    const quoted = await start('"k-5"');
    const bare = await start('k-5');
    expect([isReplay(quoted), isReplay(bare)]).toEqual([false, true]);
    expect(bare.headers.get('location')).toBe(quoted.headers.get('location'));
    const request = { input: 'header' };
    const strictly = await suite.start('k-5', request, { service: strict });
    expect(strictly.status).toBe(400);
    const again = await suite.start('"k-5"', request, { service: strict });
    expect([again.status, isReplay(again)]).toEqual([202, true]);
  });

  test('9 parameters change nothing', async () => {
    const plain = await start('"k-9"');
    const withParameter = await start('"k-9";version=2');
    expect(isReplay(withParameter)).toBe(true);
    expect(withParameter.headers.get('location')).toBe(plain.headers.get('location'));
  });

  test("13 the case of the header's name does not matter", async () => {
    const first = await start('"k-13"');
    const again = await sendRaw(suite, ['IDEMPOTENCY-key: "k-13"'], '{"input":"header"}');
    expect(again.status).toBe(202);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('14 keys that differ by case are two', async () => {
    const [upper, lower] = [await start('"K-14"'), await start('"k-14"')];
    expect([isReplay(upper), isReplay(lower)]).toEqual([false, false]);
    expect(lower.headers.get('location')).not.toBe(upper.headers.get('location'));
  });

  test('15 signs that paths, queries and IDs know never make two keys meet', async () => {
    const keys = ['a:b', 'a/b', 'a//b', 'a/../b', '..', '../b', "a'b", 'a%2Fb', 'a%b', 'a.b', '~a'];
    const seen = new Set<string>();
    for (const key of keys) {
      const answer = await start(`"${key}"`);
      expect(isReplay(answer)).toBe(false);
      const location = answer.headers.get('location') ?? '';
      seen.add(location);
      const found = await suite.send('GET', location);
      expect(found.status).toBe(200);
      expect(await found.json()).toMatchObject({
        id: ((await answer.json()) as { id: string }).id,
      });
      expect(isReplay(await start(`"${key}"`))).toBe(true);
    }
    expect(seen.size).toBe(keys.length);
  });
});
