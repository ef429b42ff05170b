import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import { AgentOnceError } from '../../src/contract/errors.ts';
import { assertJson, canonicalJson, parseJson } from '../../src/contract/json.ts';
import { LIMITS } from '../../src/contract/limits.ts';

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof AgentOnceError && error.code === 'input.invalid') return error.message;
    throw error;
  }
  return 'accepted';
}

const sameForm = (...texts: string[]) =>
  new Set(texts.map((text) => canonicalJson(parseJson(text)))).size === 1;

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('JSON text', () => {
  test('is read as JSON.parse reads it', () => {
    for (const text of [
      '{"a":[1,-0.5,1e3,true,false,null,"x"],"":{}}',
      ' \t\r\n"\\u0041\\n\\"\\\\:" ',
      '{"a:b":":","\\"":":\\\\","c\\\\":{"d":":"}}',
      '0',
      '[]',
      '9007199254740991',
      '{"a":{"x":1},"b":{"x":1}}',
    ]) {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }
  });

  test.each([
    ['nothing', ''],
    ['a cut object', '{"a":1'],
    ['two values', '1 2'],
    ['a trailing comma', '[1,]'],
    ['a comment', '[1] // one'],
    ['single quotes', "{'a':1}"],
    ['NaN', 'NaN'],
    ['a leading zero', '01'],
    ['hexadecimal', '0x1'],
    ['a control character in a string', '"\u0001"'],
    ['a byte order mark', '\ufeff{}'],
  ])('is refused: %s', (_what, text) => {
    expect(refusal(() => parseJson(text))).toBe('The input is not valid JSON.');
  });

  test('does not come back in the error', () => {
    expect(refusal(() => parseJson('{"password": hunter2}'))).not.toContain('hunter2');
  });

  test.each([
    ['other values', '{"a":1,"a":2}'],
    ['equal values', '{"a":1,"a":1}'],
    ['nested', '{"o":[{"x":{"a":null,"b":1,"a":null}}]}'],
    ['one name escaped', '{"a":1,"\\u0061":1}'],
    ['objects', '{"a":{"b":1},"a":{"b":1}}'],
    ['an empty name', '{"":1,"":1}'],
    ['__proto__', '{"__proto__":1,"__proto__":1}'],
    ['colons in strings', '{"a:":":","a:":":"}'],
    ['a discarded value that is no JSON for us', '{"a":1e1000,"a":1}'],
  ])('with a duplicate member is refused: %s', (_what, text) => {
    expect(refusal(() => parseJson(text))).toMatch(/duplicate member/);
  });

  test.each([
    ['1e1000', /not a finite number/],
    ['[-1e1000]', /\$\[0\] is not a finite number/],
    ['{"n":9007199254740992}', /\$\.n is an integer beyond 2\^53/],
    ['9007199254740993', /beyond 2\^53/],
    ['-9007199254740993', /beyond 2\^53/],
    ['1e30', /beyond 2\^53/],
  ])('with the number %s is refused', (text, message) => {
    expect(refusal(() => parseJson(text))).toMatch(message);
  });

  test.each([
    ['a value', '{"a":"\\ud800"}', /\$\.a has a lone surrogate/],
    ['a value, the second half', '["\\udc00"]', /\$\[0\] has a lone surrogate/],
    ['the halves in the wrong order', '["\\udc00\\ud800"]', /lone surrogate/],
    ['a name', '{"\\ud800":1}', /\$ has a member name with a lone surrogate/],
  ])('with a lone surrogate in %s is refused', (_what, text, message) => {
    expect(refusal(() => parseJson(text))).toMatch(message);
  });

  test('may have surrogate pairs', () => {
    expect(parseJson('{"\\ud83d\\ude00":"😀"}')).toEqual({ '😀': '😀' });
  });

  test('nests 200 levels and no more', () => {
    expect(refusal(() => parseJson(nested(LIMITS.jsonDepth + 1)))).toBe('accepted');
    expect(refusal(() => parseJson(nested(LIMITS.jsonDepth + 2)))).toMatch(/deeper than 200/);
    expect(refusal(() => parseJson(nested(500_000)))).toMatch(/deeper than 200/);
  });

  test('of the greatest depth can still be fingerprinted inside our own records', () => {
    const deepest = parseJson(nested(LIMITS.jsonDepth + 1));
    expect(canonicalJson({ messages: [{ content: deepest }] })).toContain(nested(201));
  });
});

describe('a JavaScript value', () => {
  class Order {
    id = 1;
  }
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = [cyclic];

  test.each([
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a hole', [1, , 3]], // oxlint-disable-line no-sparse-arrays
    ['a function', { a: () => 1 }],
    ['toJSON', { toJSON: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['a bigint', { a: 1n }],
    ['NaN', [Number.NaN]],
    ['Infinity', -Infinity],
    ['2^53', 2 ** 53],
    ['a date', { at: new Date(0) }],
    ['a map', new Map([['a', 1]])],
    ['a set', new Set([1])],
    ['bytes', new Uint8Array(2)],
    ['a regular expression', /a/],
    ['a boxed string', Object('a')],
    ['an instance of a class', new Order()],
    ['members in a prototype', Object.create({ a: 1 })],
    ['members in a bare prototype', Object.create(Object.assign(Object.create(null), { a: 1 }))],
    ['a lone surrogate', { a: ['\udfff'] }],
    ['a lone surrogate in a name', { '\udfff': 1 }],
    ['itself', cyclic],
  ])('is refused: %s', (_what, value) => {
    expect(refusal(() => assertJson(value))).not.toBe('accepted');
    expect(refusal(() => canonicalJson(value))).not.toBe('accepted');
  });

  test('may come from another realm or have no prototype', () => {
    expect(canonicalJson(runInNewContext('({ a: [{ b: 1 }] })'))).toBe('{"a":[{"b":1}]}');
    expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  test('is named by its place, not by what it is', () => {
    expect(refusal(() => assertJson({ orders: [1, { total: Number.NaN }] }))).toBe(
      'The value at $.orders[1].total is not a finite number that a double holds.',
    );
    const long = refusal(() => assertJson({ ['n'.repeat(5000)]: { '\u001b[31m': undefined } }));
    expect(long.length).toBeLessThan(300);
    expect(long).not.toContain('\u001b');
  });
});

describe('__proto__ and constructor', () => {
  const text = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';

  test('are members like any other: they neither pollute nor vanish', () => {
    const value = parseJson(text) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value['admin']).toBeUndefined();
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    expect(canonicalJson(value)).toBe(text);
  });

  test('count in a fingerprint, from text and from a value alike', () => {
    expect(canonicalJson(JSON.parse(text))).toBe(canonicalJson(parseJson(text)));
    expect(sameForm('{}', '{"__proto__":null}')).toBe(false);
  });

  test('are refused where they are set as a prototype, which is no member', () => {
    expect(refusal(() => assertJson({ __proto__: { admin: true } }))).toMatch(/plain object/);
  });
});

describe('the canonical form', () => {
  test('is the same for equal values', () => {
    expect(sameForm('1', '1.0', '1e0', '10e-1', ' 1 ')).toBe(true);
    expect(sameForm('0', '-0', '0.0', '-0e5')).toBe(true);
    expect(sameForm('{"a":1,"b":[2]}', '{ "b" : [ 2 ],\n "a" : 1 }')).toBe(true);
    expect(sameForm('"\\u00e9"', '"é"', '"\\u00E9"')).toBe(true);
    expect(sameForm('"\\/"', '"/"')).toBe(true);
    expect(sameForm('"\\ud83d\\ude00"', '"😀"')).toBe(true);
  });

  test('is different for different values', () => {
    // The same letter, composed and decomposed: RFC 8785 does not normalise.
    expect(sameForm('"\\u00e9"', '"e\\u0301"')).toBe(false);
    expect(sameForm('1', '"1"')).toBe(false);
    expect(sameForm('[1,2]', '[2,1]')).toBe(false);
    expect(sameForm('{"a":null}', '{}')).toBe(false);
    expect(sameForm('""', 'null')).toBe(false);
    expect(sameForm('"a"', '"A"')).toBe(false);
  });

  test('sorts members as RFC 8785 section 3.2.3 does, by UTF-16 code units', () => {
    const text =
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}';
    expect(Object.values(JSON.parse(canonicalJson(parseJson(text))) as object)).toEqual([
      'One',
      'Carriage Return',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
    expect(canonicalJson(parseJson(text))).toMatch(/^\{"\\r":.*"1":/);
  });

  test('is the one of RFC 8785 section 3.2.2', () => {
    // 1E30, which stands there too, is an integer that we refuse.
    const text = String.raw`{"numbers":[333333333.33333329,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(canonicalJson(parseJson(text))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  // RFC 8785 appendix B, by IEEE 754 bits. The library is asked itself: we refuse some of them.
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s', (bits, text) => {
    const number = Buffer.from(bits, 'hex').readDoubleBE();
    expect(canonicalize(number)).toBe(text);
    const integerBeyond = Number.isInteger(number) && !Number.isSafeInteger(number);
    expect(refusal(() => canonicalJson(number)) === 'accepted').toBe(!integerBeyond);
  });

  test.each(['7fffffffffffffff', '7ff0000000000000'])('refuses the double %s', (bits) => {
    expect(() => canonicalize(Buffer.from(bits, 'hex').readDoubleBE())).toThrow();
  });
});
