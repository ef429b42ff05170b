import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from '../structure/checkout-copy.ts';

const pages = [
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) =>
    join('docs', path),
  ),
  ...readdirSync(ROOT),
].filter((path) => path.endsWith('.md'));

/** What `npm run eject-example` takes away is named in the docs all the same. */
const ejected = !existsSync(join(ROOT, 'examples'));
const ofTheExample = /^(examples|test\/(all\/)?example)\/|^src\/agents\/support\.ts$/;

test.each(pages)('what %s points to is there', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(([, path]) =>
    join(dirname(page), path ?? ''),
  );
  const files = [
    ...text.matchAll(/`((?:src|test|docs|examples|scripts|bin)\/[\w./-]+(?:\.\w+|\/))`/g),
  ].map(([, path]) => path ?? '');
  const missing = [...links, ...files].filter(
    (path) => !existsSync(join(ROOT, path)) && !(ejected && ofTheExample.test(path)),
  );
  expect(missing).toEqual([]);
});
