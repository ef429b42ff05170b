import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { boundedLabels } from '../bounded-labels.ts';
import { Tally } from '../tally.ts';
import { parseExposition } from './support/exposition.ts';

test('each series is told as 0 once, and nothing that was counted is lost by that', async () => {
  const registry = new Registry();
  const tally = new Tally(registry, 'spent_total', 'What was spent', ['agent']);
  const told = async () =>
    Object.fromEntries(
      parseExposition(await registry.metrics()).samples.map(({ labels, value }) => [
        labels['agent'],
        value,
      ]),
    );
  expect(await told()).toEqual({});
  tally.add({ agent: 'first' }, 2);
  tally.add({ agent: 'first' }, 3);
  expect(await told()).toEqual({ first: 0 });
  tally.add({ agent: 'first' });
  tally.add({ agent: 'second' }, 0.5);
  expect(await told()).toEqual({ first: 6, second: 0 });
  tally.add({ agent: 'first' });
  expect(await told()).toEqual({ first: 7, second: 0.5 });
});

test('names that callers choose make only so many series', () => {
  const label = boundedLabels(2);
  expect(['a', 'b', 'c', 'a', 'd'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other']);
});
