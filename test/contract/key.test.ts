import { describe, expect, test } from '@jest/globals';
import { AgentOnceError } from '../../src/contract/errors.ts';
import {
  assertKey,
  assertName,
  isHashedKey,
  parseWorkflowId,
  workflowIdOf,
  workflowIdPrefix,
} from '../../src/contract/key.ts';

const idOf = (tenant: string, agent: string, key: string, hashKeys?: boolean) =>
  workflowIdOf({ tenant, agent, key }, hashKeys);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof AgentOnceError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a key', () => {
  test.each([
    ['a UUID', '0d9a6a1e-4c62-4a5b-9a5e-0f3f2c1f5b7d'],
    ['one character', 'k'],
    ['255 characters', 'k'.repeat(255)],
    ['spaces and punctuation', ` !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`],
    ['a path', '../../etc/passwd'],
  ])('may be %s', (_what, key) => {
    expect(codeOf(() => assertKey(key))).toBe('accepted');
    expect(codeOf(() => idOf('default', 'a', key))).toBe('accepted');
  });

  test.each([
    ['empty', ''],
    ['256 characters', 'k'.repeat(256)],
    ['non-ASCII', 'schlüssel'],
    ['an emoji', '🔑'],
    ['a lone surrogate', '\ud83d'],
    ['a tab', 'a\tb'],
    ['a line feed at its end', 'a\n'],
    ['NUL', 'a\0'],
    ['DEL', 'a\x7f'],
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['an array of one key', ['k']],
  ])('may not be %s', (_what, key) => {
    expect(codeOf(() => assertKey(key))).toBe('key.invalid');
    expect(codeOf(() => idOf('default', 'a', key as string))).toBe('key.invalid');
  });

  test('is not repeated in the error about it', () => {
    expect(() => assertKey('hunter2-ü')).toThrow(expect.not.stringContaining('hunter2'));
    expect(() => assertKey('hunter2-ü')).toThrow(/not printable ASCII/);
  });
});

describe('a name', () => {
  test.each(['a', 'support', 'a_1', 'a'.repeat(32)])('may be %s', (name) => {
    expect(codeOf(() => assertName('agent', name))).toBe('accepted');
  });

  test.each(['', 'A', '1a', '_a', 'a-b', 'a.b', 'a b', 'a\n', 'ä', 'a'.repeat(33), 7, undefined])(
    'may not be %j',
    (name) => {
      expect(codeOf(() => assertName('agent', name))).toBe('name.invalid');
      expect(codeOf(() => idOf('default', name as string, 'k'))).toBe('name.invalid');
      expect(codeOf(() => idOf(name as string, 'a', 'k'))).toBe('name.invalid');
    },
  );
});

describe('a workflow ID', () => {
  test('shows a plain key as it is', () => {
    expect(idOf('default', 'support', 'ticket-4711')).toBe('agent-support-ticket-4711');
    expect(idOf('acme', 'support', 'T:4711_a.b')).toBe('agent-acme.support-T:4711_a.b');
  });

  test('holds the SHA-256 of any other key', () => {
    // printf 'a/b' | openssl dgst -sha256 -binary | basenc --base64url
    const hashed = 'agent-a-~wUzdwDP2S53qgOpnXPKAoBXmclFgkKViZ4EVPcaP6hE';
    expect(idOf('default', 'a', 'a/b')).toBe(hashed);
    expect(idOf('default', 'a', 'k'.repeat(128))).toBe(`agent-a-${'k'.repeat(128)}`);
    for (const key of ['k'.repeat(129), 'a b', "a'b", 'a%2Fb', '~a', '~']) {
      expect(idOf('default', 'a', key)).toMatch(/^agent-a-~[A-Za-z0-9_-]{43}$/);
    }
  });

  test('holds the SHA-256 of every key where keys are secrets', () => {
    const id = idOf('default', 'a', 'secret', true);
    expect(id).toMatch(/^agent-a-~[A-Za-z0-9_-]{43}$/);
    expect(id).not.toBe(idOf('default', 'a', 'secret'));
    // What is hashed anyway stays the same run when the setting changes.
    expect(idOf('default', 'a', 'a/b', true)).toBe(idOf('default', 'a', 'a/b'));
  });

  test('fits the 255 characters of SQL persistence', () => {
    const name = 'n'.repeat(32);
    expect(idOf(name, name, 'k'.repeat(128)).length).toBeLessThanOrEqual(200);
    expect(idOf(name, name, 'k'.repeat(255)).length).toBeLessThanOrEqual(200);
  });

  test('takes the default tenant, named or not, for the same', () => {
    expect(idOf('default', 'a', 'k')).toBe('agent-a-k');
  });

  test('tells keys apart by case', () => {
    expect(idOf('default', 'a', 'Key')).not.toBe(idOf('default', 'a', 'key'));
  });

  test('is never shared by two different runs', () => {
    const names = ['a', 'b', 'a_b', 'ab', 'default', 'agent', 'agent_a', 'x'.repeat(32)];
    const parts = ['a', 'b', '-', '.', ':', '/', '..', "'", '%', '~', '~x', ' ', 'agent-', 'a.b-c'];
    const keys = new Set(parts);
    for (const one of parts) for (const two of parts) keys.add(one + two);
    for (const agent of names) for (const key of ['k', 'b-c']) keys.add(idOf('a', agent, key));
    keys.add('k'.repeat(128)).add('k'.repeat(129)).add('k'.repeat(255));

    const seen = new Map<string, string>();
    for (const tenant of names) {
      for (const agent of names) {
        for (const key of keys) {
          const id = idOf(tenant, agent, key);
          const triple = JSON.stringify([tenant, agent, key]);
          // Not expect() each time: there are some twenty thousand.
          if (seen.has(id)) throw new Error(`${id} is ${seen.get(id)} and ${triple}`);
          seen.set(id, triple);
        }
      }
    }
    expect(seen.size).toBe(names.length ** 2 * keys.size);
  });

  test('keeps tenant a, agent b, key c from agent a, key b-c', () => {
    const ids = [
      idOf('a', 'b', 'c'),
      idOf('default', 'a', 'b-c'),
      idOf('default', 'a', 'b.c'),
      idOf('default', 'b', 'c'),
      idOf('a', 'b', 'a.b-c'),
      idOf('default', 'b', 'a.b-c'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('cannot be met by writing the hash of another key as a key', () => {
    const hashed = parseWorkflowId(idOf('default', 'a', 'a/b'))?.key ?? '';
    expect(isHashedKey(hashed)).toBe(true);
    expect(idOf('default', 'a', hashed)).not.toBe(idOf('default', 'a', 'a/b'));
  });

  test.each([
    ['default', 'support', 'ticket-4711'],
    ['acme', 'support', 'a-b.c:d_e'],
    ['default', 'a', '..'],
    ['a', 'b', '-'],
    ['a', 'b', 'k'.repeat(255)],
    ['a', 'b', 'with space'],
  ])('is read back: %s, %s, %s', (tenant, agent, key) => {
    const id = idOf(tenant, agent, key);
    const parsed = parseWorkflowId(id);
    expect(parsed).toMatchObject({ tenant, agent });
    expect(workflowIdPrefix(tenant, agent) + parsed?.key).toBe(id);
    if (!isHashedKey(parsed?.key ?? '')) expect(parsed?.key).toBe(key);
  });

  test.each(['', 'agent-', 'agent-a', 'agent-a-', 'order-a-k', 'agent-A-k', 'agent-.a-k'])(
    'is not one of ours: %j',
    (id) => {
      expect(parseWorkflowId(id)).toBeUndefined();
    },
  );
});
