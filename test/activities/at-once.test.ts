import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from '@jest/globals';
import { everyAtOnce } from '../../src/activities/step/at-once.ts';
import { eventually } from '../support/eventually.ts';

test('functions of one rhythm are called in one go, each in its own context, until they end', async () => {
  const context = new AsyncLocalStorage<string>();
  /** Names that were called with nothing else between. */
  const rounds: string[][] = [];
  let round: string[] | undefined;
  const call = () => {
    if (round === undefined) {
      rounds.push((round = []));
      queueMicrotask(() => (round = undefined));
    }
    round.push(context.getStore() ?? 'nobody');
  };
  const ends: (() => void)[] = [];
  for (const name of ['a', 'b', 'c']) {
    // They come at different times.
    await new Promise((resolve) => setTimeout(resolve, 7));
    ends.push(context.run(name, () => everyAtOnce(30, call)));
  }
  await eventually(() =>
    expect(rounds.slice(-2)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]),
  );
  ends[1]?.();
  ends[1]?.();
  await eventually(() => expect(rounds.at(-1)).toEqual(['a', 'c']));
  ends[0]?.();
  ends[2]?.();
  const over = rounds.length;
  const other = everyAtOnce(30, () => rounds.push(['other']));
  await eventually(() => expect(rounds.length).toBeGreaterThan(over));
  other();
  expect(new Set(rounds.slice(over).flat())).toEqual(new Set(['other']));
});
