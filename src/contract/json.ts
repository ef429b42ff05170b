import canonicalize from 'canonicalize';
import { parse } from 'lossless-json';
import { AgentOnceError } from './errors.ts';
import type { JsonValue } from './json-value.ts';
import { LIMITS } from './limits.ts';

export type { JsonObject, JsonValue } from './json-value.ts';

/**
 * Parses JSON text that will be fingerprinted. Stricter than `JSON.parse`: duplicate members and
 * integers beyond 2^53 are refused, since another parser may read another value (RFC 8259 section
 * 4, RFC 7493 section 2.2), and two requests that look alike must be alike.
 *
 * @throws {AgentOnceError} `input.invalid`
 */
export function parseJson(text: string): JsonValue {
  let value: unknown;
  try {
    value = parse(text, null, {
      parseNumber: exactNumber,
      onDuplicateKey: () => {
        throw new AgentOnceError(
          'input.invalid',
          'The JSON has an object with a duplicate member.',
        );
      },
    });
  } catch (error) {
    if (error instanceof AgentOnceError) throw error;
    if (error instanceof RangeError) throw tooDeep();
    // The parser's own message quotes the text: it may hold what must not reach a log.
    throw new AgentOnceError('input.invalid', 'The input is not valid JSON.');
  }
  assertJson(value);
  return value;
}

function exactNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new AgentOnceError('input.invalid', 'The JSON has a number too large for a double.');
  }
  return value;
}

/**
 * Checks that a value is JSON that RFC 8785 can represent: no `undefined`, functions, class
 * instances, non-finite numbers, integers beyond 2^53, lone surrogates; at most 200 levels deep.
 *
 * @throws {AgentOnceError} `input.invalid`; the message names the place, never the value.
 */
export function assertJson(value: unknown, at = '$', depth = 0): asserts value is JsonValue {
  if (depth > LIMITS.jsonDepth) throw tooDeep();
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refuse(at, 'has a lone surrogate');
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refuse(at, 'is not a finite number');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw refuse(at, 'is an integer beyond 2^53; send it as a string');
    }
    return;
  }
  if (Array.isArray(value)) {
    // Not forEach: it skips holes, which are not JSON.
    for (let i = 0; i < value.length; i++) assertJson(value[i], `${at}[${i}]`, depth + 1);
    return;
  }
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw refuse(at, 'is not a plain object');
    for (const [name, member] of Object.entries(value)) {
      if (!name.isWellFormed()) throw refuse(at, 'has a member name with a lone surrogate');
      assertJson(member, `${at}.${name.slice(0, 40)}`, depth + 1);
    }
    return;
  }
  throw refuse(at, `is ${typeof value}, which JSON does not have`);
}

/**
 * The canonical form of RFC 8785 (JCS): equal values, equal bytes.
 *
 * @throws {AgentOnceError} `input.invalid`
 */
export function canonicalJson(value: unknown): string {
  assertJson(value);
  return canonicalize(value) as string;
}

/** Size of a JSON text in bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function refuse(at: string, what: string): AgentOnceError {
  return new AgentOnceError('input.invalid', `The value at ${at} ${what}.`);
}

function tooDeep(): AgentOnceError {
  return new AgentOnceError(
    'input.invalid',
    `The JSON is nested deeper than ${LIMITS.jsonDepth} levels.`,
  );
}
