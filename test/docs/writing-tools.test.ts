import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DEFAULT_TOOL_POLICY } from '../../src/contract/settings.ts';
import { ROOT } from '../structure/checkout-copy.ts';

const text = readFileSync(join(ROOT, 'docs/writing-tools.md'), 'utf8');

test('the times in the table are the ones in force', () => {
  const told = Object.fromEntries(
    [...text.matchAll(/^\| `([\w.]+)` +\| ([\d,]+) +\|/gm)].map(([, name, value]) => [
      name,
      Number(value?.replaceAll(',', '')),
    ]),
  );
  const { retry, ...times } = DEFAULT_TOOL_POLICY;
  const retries = Object.entries(retry).map(([name, value]) => [`retry.${name}`, value] as const);
  expect(told).toEqual({ ...times, ...Object.fromEntries(retries) });
});
