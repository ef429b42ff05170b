import { expect, test } from '@jest/globals';
import { mergePackages } from '../merge-package.ts';

const base = {
  name: 'mine',
  scripts: { test: 'a', old: 'b' },
  dependencies: { pg: '1', zod: '1', redis: '1' },
};

test('package.json takes from each side what that side alone changed, key by key', () => {
  const own = {
    ...base,
    name: 'renamed',
    scripts: { test: 'mine', old: 'b' },
    dependencies: { zod: '1', redis: '1', axios: '1' },
  };
  const template = {
    ...base,
    scripts: { test: 'a', check: 'c' },
    dependencies: { pg: '1', zod: '2', got: '1' },
  };
  expect(mergePackages(base, own, template)).toEqual({
    merged: {
      name: 'renamed',
      scripts: { test: 'mine', check: 'c' },
      // pg was deleted here, redis in the template.
      dependencies: { axios: '1', got: '1', zod: '2' },
    },
    kept: [],
  });
});

test('where both changed a key of package.json, its own value stays and the key is told', () => {
  const own = { ...base, dependencies: { ...base.dependencies, zod: '3', pg: '2' } };
  const template = { ...base, dependencies: { ...base.dependencies, zod: '2', pg: '2' } };
  const { merged, kept } = mergePackages(base, own, template);
  expect(merged['dependencies']).toEqual({ pg: '2', redis: '1', zod: '3' });
  expect(kept).toEqual(['dependencies.zod']);
});

test('packages of a merged package.json are in order, as npm writes them', () => {
  const own = { dependencies: { b: '1' } };
  const template = { dependencies: { a: '1', c: '1' } };
  expect(Object.keys(mergePackages({}, own, template).merged['dependencies'] as object)).toEqual([
    'a',
    'b',
    'c',
  ]);
});
