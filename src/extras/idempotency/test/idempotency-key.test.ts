import { describe, expect, test } from '@jest/globals';
import type { AgentOnceError } from '../../../contract/errors.ts';
import { readIdempotencyKey } from '../idempotency-key.ts';

const UUID = '8e03978e-40d5-43dd-bc93-6894a57f9324';

describe('an Idempotency-Key header', () => {
  test('that is not there is undefined', () => {
    expect(readIdempotencyKey([])).toBeUndefined();
  });

  test.each([
    ['a quoted UUID', `"${UUID}"`, UUID],
    ['a bare UUID that begins with a digit', UUID, UUID],
    ['a bare UUID that begins with a letter', `a${UUID.slice(1)}`, `a${UUID.slice(1)}`],
    ['blanks around it', `  "a"  `, 'a'],
    ['a parameter', '"a";version=2', 'a'],
    ['a parameter of a bare one', 'a; v=2', 'a'],
    ['escapes', '"a\\"b\\\\c"', 'a"b\\c'],
    ['blanks and commas in quotes', '"a, b;c"', 'a, b;c'],
    ["signs that other systems' paths know", "a:b/c..d'e%20", "a:b/c..d'e%20"],
    ['255 characters', `"${'k'.repeat(255)}"`, 'k'.repeat(255)],
    ['255 bare characters', 'k'.repeat(255), 'k'.repeat(255)],
  ])('with %s names the key', (_what, line, key) => {
    expect(readIdempotencyKey([line])).toBe(key);
  });

  test.each([
    ['empty', ['']],
    ['an empty string', ['""']],
    ['blank', ['   ']],
    ['there twice', ['"a"', '"a"']],
    ['a list', ['"a", "b"']],
    ['a bare list', ['a, b']],
    ['unterminated', ['"a']],
    ['with something behind it', ['"a"b']],
    ['an integer', ['42']],
    ['a decimal', ['-4.2']],
    ['a boolean', ['?1']],
    ['bytes', [':YWJj:']],
    ['a date', ['@1659578233']],
    ['not ASCII', ['"ä"']],
    ['bare and not ASCII', ['ä']],
    ['with a control character', ['"a\u0001"']],
    ['of 256 characters', [`"${'k'.repeat(256)}"`]],
    ['bare with a blank', ['a b']],
    ['with a broken parameter', ['a;=']],
  ])('that is %s is refused', (_what, lines) => {
    expect(refusalOf(lines)).toMatchObject({ code: 'key.invalid' });
  });

  test('needs quotes in strict mode', () => {
    expect(readIdempotencyKey(['"a"'], true)).toBe('a');
    expect(() => readIdempotencyKey(['a'], true)).toThrow(/double quotes/);
  });

  test('is never repeated in an error', () => {
    expect(refusalOf(['secret secret'])?.message).not.toContain('secret');
  });
});

function refusalOf(lines: string[]): AgentOnceError | undefined {
  try {
    readIdempotencyKey(lines);
    return undefined;
  } catch (error) {
    return error as AgentOnceError;
  }
}
