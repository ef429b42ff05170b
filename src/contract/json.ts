import canonicalize from 'canonicalize';
import { AgentOnceError } from './errors.ts';
import type { JsonValue } from './json-value.ts';
import { LIMITS } from './limits.ts';

export type { JsonObject, JsonValue } from './json-value.ts';

/**
 * Parses JSON text that will be fingerprinted. Stricter than `JSON.parse`: duplicate members (also
 * with equal values) and integers beyond 2^53 are refused, since another parser may read another
 * value (RFC 8259 section 4, RFC 7493 section 2.2), and two requests that look alike must be alike.
 *
 * @throws {AgentOnceError} `input.invalid`
 */
export function parseJson(text: string): JsonValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text: it may hold what must not reach a log.
    throw new AgentOnceError('input.invalid', 'The input is not valid JSON.');
  }
  assertJson(value);
  if (countMembers(value) !== countColons(text)) {
    throw new AgentOnceError('input.invalid', 'The JSON has an object with a duplicate member.');
  }
  return value;
}

/** Members that an object kept: of duplicates, `JSON.parse` keeps the last. */
function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside: JsonValue[] = Object.values(value);
  const own = Array.isArray(value) ? 0 : inside.length;
  return inside.reduce<number>((sum, member) => sum + countMembers(member), own);
}

/** Members as they were written: in valid JSON, each has the one colon outside of strings. */
function countColons(json: string): number {
  let colons = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '"') inString = !inString;
    else if (inString && char === '\\') i++;
    else if (!inString && char === ':') colons++;
  }
  return colons;
}

/**
 * Checks that a value is JSON that RFC 8785 can represent: no `undefined`, functions, class
 * instances, non-finite numbers, integers beyond 2^53, lone surrogates; at most 200 levels deep.
 *
 * @throws {AgentOnceError} `input.invalid`; the message names the place, never the value.
 */
export function assertJson(value: unknown): asserts value is JsonValue {
  check(value, [], LIMITS.jsonDepth);
}

function check(value: unknown, path: (string | number)[], deepest: number): void {
  // Also the end of a value that contains itself.
  if (path.length > deepest) {
    throw new AgentOnceError(
      'input.invalid',
      `The JSON is nested deeper than ${LIMITS.jsonDepth} levels.`,
    );
  }
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refuse(path, 'has a lone surrogate');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refuse(path, 'is not a finite number that a double holds');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw refuse(path, 'is an integer beyond 2^53; send it as a string');
    }
  } else if (typeof value === 'object') {
    if (!Array.isArray(value) && !isPlain(value)) throw refuse(path, 'is not a plain object');
    // An array's own entries have its holes too, which are not JSON.
    for (const [name, member] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      if (typeof name === 'string' && !name.isWellFormed()) {
        throw refuse(path, 'has a member name with a lone surrogate');
      }
      path.push(name);
      check(member, path, deepest);
      path.pop();
    }
  } else {
    throw refuse(path, `is ${typeof value}, which JSON does not have`);
  }
}

/** Whether all of an object is its own members. Objects of another realm are plain as well. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Levels that our own records put around a value that was checked as it came in. */
const ENVELOPE = 8;

/**
 * The canonical form of RFC 8785 (JCS): equal values, equal bytes.
 *
 * @throws {AgentOnceError} `input.invalid`
 */
export function canonicalJson(value: unknown): string {
  check(value, [], LIMITS.jsonDepth + ENVELOPE);
  return canonicalize(value) as string;
}

/** Size of a JSON text in bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function refuse(path: readonly (string | number)[], what: string): AgentOnceError {
  const at = path.map((name) => (typeof name === 'number' ? `[${name}]` : `.${name}`)).join('');
  const place = at.length > 200 ? `…${at.slice(-200)}` : at;
  // A member's name is the caller's text: no control characters on somebody's terminal.
  const shown = place.toWellFormed().replaceAll(/\p{Cc}/gu, ' ');
  return new AgentOnceError('input.invalid', `The value at $${shown} ${what}.`);
}
