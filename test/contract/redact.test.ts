import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { redact, secretsOfUrl, showUrl } from '../../src/contract/redact.ts';

const password = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 4,
  maxLength: 24,
});
/** Every form in which a URL has a password, and some in which it should not. */
const URLS: ((password: string) => string)[] = [
  (pass) => `postgres://ann:${pass}@db.example:5432/ledger`,
  (pass) => `postgres://ann:${encodeURIComponent(pass)}@db.example/ledger?sslmode=require`,
  (pass) => `postgres://ann:${pass}@/ledger?host=/cloudsql/a:b:c`,
  (pass) => `postgres://ann:${pass}@a:1,b:2/ledger`,
  (pass) => `postgres://db.example/ledger?user=ann&password=${encodeURIComponent(pass)}`,
  (pass) => `redis://:${pass}@cache.example:6379/0`,
  (pass) => `rediss://ann:${encodeURIComponent(pass)}@cache.example:6379/0`,
  (pass) => `https://ann:${pass}@models.example/v1`,
  (pass) => `https://models.example/v1?api_key=${encodeURIComponent(pass)}`,
  (pass) => `http://${pass}@proxy.example:3128`,
];
const url = fc.constantFrom(...URLS);

describe('a URL that is shown', () => {
  test('has no part of its password in it, whatever that is and whether the URL can be parsed', () => {
    fc.assert(
      fc.property(url, password, (make, secret) => {
        expect(partsShown(secret, showUrl(make(secret)), make)).toEqual([]);
        const text = `connect to "${make(secret)}" failed`;
        expect(partsShown(secret, redact(text, secretsOfUrl(make(secret))), make)).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });

  test('has none in the text of a library that repeats it whole, decoded or in pieces', () => {
    fc.assert(
      fc.property(url, password, (make, secret) => {
        const known = secretsOfUrl(make(secret));
        for (const piece of [secret, encodeURIComponent(secret), ...secret.split(/[/?#@:\s]/)]) {
          if (piece.length < 4) continue;
          expect(partsShown(secret, redact(`getaddrinfo ${piece}`, known), make)).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['postgres://ann:pw@db.example:5432/ledger', 'postgres://[redacted]@db.example:5432/ledger'],
    ['postgres://ann:12/34@db.example:5432/ledger', 'postgres://[redacted]'],
    ['postgres://ann:12?4@db.example:5432/ledger', 'postgres://[redacted]'],
    ['postgres://ann:p#w@db.example/ledger', 'postgres://[redacted]'],
    ['postgres://ann:p@w@db.example/ledger', 'postgres://[redacted]@db.example/ledger'],
    ['postgres://ann:pass', 'postgres://[redacted]'],
    ['redis://cache.example/0?password=pw', 'redis://cache.example/0?[redacted]'],
    ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000/v1'],
    ['http://[::1]:8000/v1', 'http://[::1]:8000/v1'],
    ['postgres://a:1,b:2/ledger', 'postgres://a:1,b:2/ledger'],
    ['ann:pw@db.example', '[redacted]'],
  ])('%s is shown as %s', (given, shown) => {
    expect(showUrl(given)).toBe(shown);
  });

  test('the sentence around it stays as it is', () => {
    const text = 'No answer (http://127.0.0.1:8000/v1). Look at file:///a/@b/c.ts:1:2, then go on.';
    expect(redact(text)).toBe(text);
    expect(redact('Is redis://u:pw@h:1/0, or is it not?')).toBe(
      'Is redis://[redacted]@h:1/0, or is it not?',
    );
  });
});

/** Parts of a secret of four characters that stand in a text, and would not with another one. */
function partsShown(secret: string, text: string, make: (password: string) => string): string[] {
  const without = `${make('')} connect to "" failed getaddrinfo [redacted]`;
  const parts = Array.from({ length: Math.max(0, secret.length - 3) }, (_, at) =>
    secret.slice(at, at + 4),
  );
  return parts.filter((part) => text.includes(part) && !without.includes(part));
}
