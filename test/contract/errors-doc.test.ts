import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ERRORS } from '../../src/contract/errors.ts';

/** Cells of the table between the two marks of docs/errors.md, without padding and escapes. */
function readTable(doc: string): string[] {
  const [, table = ''] = doc.split(/<!-- codes: (?:begin|end)[^>]*-->/);
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) => row.replaceAll('\\', '').replaceAll(/ *\| */g, '|'));
}

test('docs/errors.md has every error code, and no other', () => {
  const doc = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = Object.entries(ERRORS).map(
    ([code, { exit, means }]) => `|\`${code}\`|${exit}|${means}|`,
  );
  expect(rows.length).toBeGreaterThan(30);
  if (readTable(doc).join('\n') !== rows.join('\n')) {
    throw new Error(
      `docs/errors.md and src/contract/errors.ts differ. These rows belong between the marks of docs/errors.md (npx prettier --write aligns them):\n\n${rows.join('\n')}\n`,
    );
  }
});
