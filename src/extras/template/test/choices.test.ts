import { expect, test } from '@jest/globals';
import { chooseExtras } from '../generate/extras.ts';
import { composeOf, moveSeed, unlink } from '../generate/rewrite.ts';
import { packageNameOf } from '../new-copy.ts';

const manifests = new Map(
  Object.entries({
    demo: { requires: ['dev'] },
    dev: {},
    explain: {},
    decisions: { requires: ['explain'] },
    maintenance: {},
    service: { requires: ['explain', 'idempotency'] },
    idempotency: {},
    template: { requires: ['dev', 'upgrade'] },
    upgrade: {},
  }),
);
const choose = (...wanted: string[]) => chooseExtras(manifests, wanted, false);

test('a copy has the extras that are wanted, what they require, and dev and upgrade', () => {
  expect(choose('none')).toEqual(['dev', 'upgrade']);
  expect(choose('service')).toEqual(['dev', 'explain', 'idempotency', 'service', 'upgrade']);
  expect(choose('default')).toEqual(['decisions', 'dev', 'explain', 'maintenance', 'upgrade']);
  expect(choose('default', 'service')).toEqual(choose('all'));
});

test('a copy has the demo with the example alone, and never what makes copies', () => {
  expect(chooseExtras(manifests, ['none'], true)).toEqual([
    'demo',
    'dev',
    'idempotency',
    'upgrade',
  ]);
  expect(() => choose('demo')).toThrow('It comes with --example.');
  expect(() => choose('template')).toThrow('There is no extra "template" for a copy.');
});

test('an extra that there is not is refused, with those that there are', () => {
  expect(() => choose('servce')).toThrow(
    'There is no extra "servce" for a copy. There are: decisions, dev, explain, idempotency, maintenance, service, upgrade; or one of default, none, all.',
  );
});

test.each([
  ['/tmp/My Agents', 'my-agents'],
  ['/tmp/_x.y', 'x-y'],
  ['/tmp/日本', 'my-agents'],
])('the copy in %s is called %s', (folder, name) => {
  expect(packageNameOf(folder)).toBe(name);
});

test('an extra that a copy has not is gone from the composition with its two lines', () => {
  const text = `import { a } from '../extras/one/index.ts';
import { b } from '../extras/two/index.ts';
const extras = [
    a,
    b({ with: [a] }),
];`;
  expect(composeOf(text, ['one'])).toBe(`import { a } from '../extras/one/index.ts';
const extras = [
    a,
];`);
  expect(composeOf(text, ['two'])).not.toContain('extras/one');
});

test('the app of a copy imports the engine from its new place', () => {
  const seed = 'src/extras/template/app/tools/x.ts';
  expect(
    moveSeed(seed, `from '../../../../define/y.ts'; from '../../../dev/z.ts'; from './w.ts';`),
  ).toEqual({
    file: 'src/app/tools/x.ts',
    text: `from '../../define/y.ts'; from '../../extras/dev/z.ts'; from './w.ts';`,
  });
});

test('a link to a page that a copy has not becomes its words', () => {
  const there = (file: string) => file === 'docs/a.md';
  expect(unlink('docs/x.md', '[A](a.md#b), [B](../b.md), [C](https://c), [D](#d)', there)).toBe(
    '[A](a.md#b), B, [C](https://c), [D](#d)',
  );
});
