import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from '../structure/checkout-copy.ts';
import { listPages } from './pages.ts';

test.each(listPages())('what %s points to is there', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(([, path]) =>
    join(dirname(page), path ?? ''),
  );
  const files = [
    ...text.matchAll(
      /`((?:src|test|docs|examples|scripts|bin|chaos|fuzz|bench|pictures|prod-like)\/[\w./-]+(?:\.\w+|\/))`/g,
    ),
  ].map(([, path]) => path ?? '');
  const missing = [...links, ...files].filter((path) => !existsSync(join(ROOT, path)));
  expect(missing).toEqual([]);
});
