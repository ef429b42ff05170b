import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { fingerprintOf, type FingerprintedRequest } from '../../src/contract/fingerprint.ts';
import { parseJson } from '../../src/contract/json.ts';

interface Vector {
  what: string;
  request: string;
  canonical: string;
  sha256: string;
}

const file = new URL('../../docs/fingerprint-vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

const read = (request: string) => parseJson(request) as unknown as FingerprintedRequest;

describe('a fingerprint', () => {
  test.each(vectors)('is the one in docs/fingerprint-vectors.json: $what', (vector) => {
    expect(createHash('sha256').update(vector.canonical).digest('hex')).toBe(vector.sha256);
    expect(fingerprintOf(read(vector.request))).toBe(vector.sha256);
  });

  test('is another one in each of the vectors', () => {
    expect(vectors.length).toBeGreaterThan(10);
    expect(new Set(vectors.map(({ sha256 }) => sha256)).size).toBe(vectors.length);
  });

  test('knows only the fields that it names', () => {
    const request = { tenant: 'default', agent: 'a', input: 1 };
    const more = { ...request, key: 'k', firstSeen: 'now', settings: { model: 'm' } };
    expect(fingerprintOf(more)).toBe(fingerprintOf(request));
  });

  test('takes a field that is undefined for one that was not sent', () => {
    const request = { tenant: 'default', agent: 'a' };
    const undefinedOnes = { ...request, input: undefined, options: undefined };
    expect(fingerprintOf(undefinedOnes as unknown as FingerprintedRequest)).toBe(
      fingerprintOf(request),
    );
  });

  test('is not made of what RFC 8785 cannot represent', () => {
    const request = { tenant: 'default', agent: 'a', input: Number.NaN };
    expect(() => fingerprintOf(request)).toThrow(
      expect.objectContaining({ code: 'input.invalid' }),
    );
  });
});
