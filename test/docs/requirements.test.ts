import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from '../structure/checkout-copy.ts';

const rows = [
  ...readFileSync(join(ROOT, 'docs/requirements.md'), 'utf8').matchAll(
    /^\| ([A-E]\d+) +\| (.+?) +\| (.+?) +\|$/gm,
  ),
].map(([, id = '', , shown = '']) => ({ id, shown }));

test('every requirement is there, once, in order', () => {
  const wanted = Object.entries({ A: 8, B: 10, C: 13, D: 14, E: 6 }).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, index) => `${section}${index + 1}`),
  );
  expect(rows.map(({ id }) => id)).toEqual(wanted);
});

test.each(rows)('$id names a test that is there, or says that there is none yet', ({ shown }) => {
  const tests = [...shown.matchAll(/`((?:\w[\w-]*\/)*test\/[^`]+)`/g)].map(
    ([, path]) => path ?? '',
  );
  if (tests.length === 0) {
    expect(shown).toBe('not yet');
    return;
  }
  expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
