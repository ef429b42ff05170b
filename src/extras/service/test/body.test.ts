import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startHttpSuite, type HttpSuite, type Sent } from './support/http-suite.ts';

const MIB = 1024 * 1024;

let suite: HttpSuite;

beforeAll(async () => {
  suite = await startHttpSuite();
});
afterAll(() => suite.close());

/** Sends a body as text, so that it stands on the wire as it stands here. */
const start = (key: string, text: string, more: Sent = {}) => suite.start(`"${key}"`, text, more);

const statusOf = async (key: string, text: string, more?: Sent) =>
  (await start(key, text, more)).status;

describe('two bodies that mean the same', () => {
  test.each([
    [
      '36 other order of members',
      '{"input":{"a":1,"b":{"c":2,"d":3}}}',
      '{"input":{"b":{"d":3,"c":2},"a":1}}',
    ],
    ['36 other white space', '{"input":[1,"a b"]}', ' {\n\t"input" : [ 1 ,\r\n"a b" ] } '],
    ['37 1 and 1.0', '{"input":1}', '{"input":1.0}'],
    ['37 1 and 1e0', '{"input":1}', '{"input":1e0}'],
    ['37 0 and -0', '{"input":0}', '{"input":-0}'],
    ['40 an escape and the character', String.raw`{"input":"caf\u00e9"}`, '{"input":"café"}'],
    ['40 an escaped member name', String.raw`{"input":{"\u0061":1}}`, '{"input":{"a":1}}'],
  ])('are one request: %s', async (name, one, other) => {
    const first = await start(name, one);
    const second = await start(name, other);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
  });
});

describe('two bodies that do not mean the same', () => {
  test.each([
    ['37 -1 and 1', '{"input":-1}', '{"input":1}'],
    ['38 other order of an array', '{"input":[1,2]}', '{"input":[2,1]}'],
    [
      '39 NFC and NFD',
      `{"input":"${'é'.normalize('NFC')}"}`,
      `{"input":"${'é'.normalize('NFD')}"}`,
    ],
    ['43 absent and null', '{}', '{"input":null}'],
    ['43 absent and null inside', '{"input":{}}', '{"input":{"a":null}}'],
    ['44 __proto__ and nothing', '{"input":{"__proto__":{"a":1}}}', '{"input":{}}'],
    ['44 two __proto__', '{"input":{"__proto__":{"a":1}}}', '{"input":{"__proto__":{"a":2}}}'],
    ['44 two constructors', '{"input":{"constructor":1}}', '{"input":{"constructor":2}}'],
  ])('are two requests under one key: %s', async (name, one, other) => {
    expect(await statusOf(name, one)).toBe(202);
    const second = await start(name, other);
    expect(second.status).toBe(422);
    expect(await second.json()).toMatchObject({ code: 'key.conflict' });
    // And the first still means what it meant.
    expect(await statusOf(name, one)).toBe(202);
  });
});

describe('a body that is refused, and the key stays free', () => {
  test.each([
    ['41 a lone surrogate', String.raw`{"input":"\ud800"}`, 'input.invalid'],
    ['41 a lone surrogate in a name', String.raw`{"input":{"\udc00":1}}`, 'input.invalid'],
    ['41 a number that no double holds', '{"input":1e1000}', 'input.invalid'],
    ['41 a duplicate member', '{"input":{"a":1,"a":1}}', 'input.invalid'],
    [
      '41 a duplicate member that is escaped',
      String.raw`{"input":{"a":1,"\u0061":2}}`,
      'input.invalid',
    ],
    ['41 a duplicate member outside', '{"input":1,"input":2}', 'input.invalid'],
    ['42 an integer beyond 2^53', '{"input":9007199254740993}', 'input.invalid'],
    ['44 __proto__ outside', '{"input":1,"__proto__":{"options":{}}}', 'http.bad_request'],
    ['44 constructor outside', '{"input":1,"constructor":1}', 'http.bad_request'],
    ['45 nested too deep', `{"input":${'['.repeat(201)}${']'.repeat(201)}}`, 'input.invalid'],
    [
      '45 nested far too deep',
      `{"input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'input.invalid',
    ],
    ['48 malformed', '{"input":', 'input.invalid'],
    ['48 empty', '', 'http.bad_request'],
    ['48 no object', '[1]', 'http.bad_request'],
    ['48 a member that is not known', '{"input":1,"inputs":2}', 'http.bad_request'],
  ])('%s', async (name, text, code) => {
    const refused = await start(name, text);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ status: 400, code });
    const corrected = await start(name, '{"input":"corrected"}');
    expect(corrected.status).toBe(202);
    expect(corrected.headers.get('idempotent-replayed')).toBeNull();
  });
});

test('42 the largest safe integer is accepted', async () => {
  expect(await statusOf('42', '{"input":9007199254740991}')).toBe(202);
});

test('45 nested as deep as is allowed it is accepted', async () => {
  expect(await statusOf('45', `{"input":${'['.repeat(200)}${']'.repeat(200)}}`)).toBe(202);
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', ''])(
  '46 the content type "%s" is refused, and the key stays free',
  async (type) => {
    const headers = { 'content-type': type };
    const refused = await start(`46-${type}`, '{"input":1}', { headers });
    expect(refused.status).toBe(415);
    expect(await refused.json()).toMatchObject({ code: 'http.unsupported_media_type' });
    const json = { 'content-type': 'Application/JSON; charset=utf-8' };
    const corrected = await start(`46-${type}`, '{"input":2}', { headers: json });
    expect(corrected.status).toBe(202);
    expect(corrected.headers.get('idempotent-replayed')).toBeNull();
  },
);

test('47 a body of 1 MiB is accepted, one of a byte more is not', async () => {
  const bodyOf = (bytes: number) => `{"input":"${'x'.repeat(bytes - '{"input":""}'.length)}"}`;
  const tooLarge = await start('47', bodyOf(MIB + 1));
  expect(tooLarge.status).toBe(413);
  expect(await tooLarge.json()).toMatchObject({ code: 'http.body_too_large' });
  const largest = await start('47', bodyOf(MIB));
  expect(largest.status).toBe(202);
  expect(largest.headers.get('idempotent-replayed')).toBeNull();
});

describe('46 a body that is not as it is read is refused, and the key stays free', () => {
  test.each([
    ['compressed', { 'content-encoding': 'gzip' }, 415],
    ['compressed twice', { 'content-encoding': 'identity, br' }, 415],
    ['in another charset', { 'content-type': 'application/json; charset=iso-8859-1' }, 415],
    ['in UTF-16', { 'content-type': 'application/json;charset="utf-16"' }, 415],
    ['as it is', { 'content-encoding': 'identity' }, 202],
    ['in UTF-8', { 'content-type': 'application/json; charset="UTF-8"' }, 202],
  ])('%s', async (name, headers, status) => {
    expect(await statusOf(`46-${name}`, '{"input":1}', { headers })).toBe(status);
    expect(await statusOf(`46-${name}`, '{"input":1}')).toBe(202);
  });
});

test('an empty body is none where none is needed, whatever its type', async () => {
  await start('none', '{"input":1}');
  const path = '/v1/runs/agent-tester-none';
  const ask = (action: string, body: string) =>
    suite.send('POST', `${path}/${action}`, {
      body,
      headers: { 'content-type': 'application/json' },
    });
  expect((await ask('cancel', '')).status).toBe(202);
  expect((await ask('resume', '')).status).toBe(202);
  expect((await ask('forget', '')).status).not.toBe(400);
  expect((await ask('cancel', ' ')).status).toBe(400);
});

describe('a decision that cannot be kept', () => {
  test.each([
    ['a name with a null character', String.raw`{"decision":"approve","by":"a\u0000"}`],
    ['a comment with one', String.raw`{"decision":"approve","by":"a","comment":"\u0000"}`],
    ['a name with a lone surrogate', String.raw`{"decision":"approve","by":"\udc00"}`],
    ['a result of what may yet happen', '{"decision":"approve","by":"ann","result":1}'],
  ])('is refused: %s', async (_what, text) => {
    const path = '/v1/runs/agent-tester-nobody/steps/t1.c0/decision';
    expect((await suite.send('POST', path, { body: text })).status).toBe(400);
  });
});
