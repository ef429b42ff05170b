import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from '@jest/globals';
import { SharedWork } from '../../src/client/shared-work.ts';
import { eventually } from '../support/eventually.ts';

/** Work that is ended by hand, and how often it was begun and told to stop. */
function createWork() {
  const ends: { resolve(value: string): void; reject(error: unknown): void }[] = [];
  const signals: AbortSignal[] = [];
  const begin = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return new Promise<string>((resolve, reject) => ends.push({ resolve, reject }));
  };
  return { ends, signals, begin };
}

test('callers of one name share one work, and each is told its end; then the next begins anew', async () => {
  const shared = new SharedWork();
  const work = createWork();
  const callers = Array.from({ length: 3 }, () =>
    shared.join('a', new AbortController().signal, work.begin),
  );
  const other = shared.join('b', new AbortController().signal, work.begin);
  work.ends[0]?.resolve('done');
  work.ends[1]?.resolve('other');
  expect(await Promise.all(callers)).toEqual(['done', 'done', 'done']);
  expect(await other).toBe('other');
  const next = shared.join('a', new AbortController().signal, work.begin);
  work.ends[2]?.resolve('again');
  expect(await next).toBe('again');
  expect(work.signals).toHaveLength(3);
});

test('what the work throws reaches each caller, at once or later', async () => {
  const shared = new SharedWork();
  const error = new Error('no');
  const throws = (): Promise<never> => {
    throw error;
  };
  const callers = [1, 2].map(() => shared.join('a', new AbortController().signal, throws));
  for (const caller of callers) await expect(caller).rejects.toBe(error);
});

test('a caller who leaves leaves the others waiting; the last one ends the work', async () => {
  const shared = new SharedWork();
  const work = createWork();
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [first, second].map(({ signal }) => shared.join('a', signal, work.begin));
  first.abort('enough');
  await expect(waits[0]).rejects.toBe('enough');
  expect(work.signals[0]?.aborted).toBe(false);
  second.abort('enough too');
  await expect(waits[1]).rejects.toBe('enough too');
  expect(work.signals[0]?.aborted).toBe(true);
  // Whoever comes after begins anew, and the end of the old work is nothing to it.
  const late = shared.join('a', new AbortController().signal, work.begin);
  work.ends[0]?.reject(new Error('stopped'));
  work.ends[1]?.resolve('done');
  expect(await late).toBe('done');
});

test('a caller who has left before begins nothing', async () => {
  const shared = new SharedWork();
  const work = createWork();
  await expect(shared.join('a', AbortSignal.abort('gone'), work.begin)).rejects.toBe('gone');
  expect(work.signals).toEqual([]);
});

test('a signal that aborts after the end stops nothing', async () => {
  const shared = new SharedWork();
  const work = createWork();
  const caller = new AbortController();
  const wait = shared.join('a', caller.signal, work.begin);
  work.ends[0]?.resolve('done');
  expect(await wait).toBe('done');
  const next = shared.join('a', new AbortController().signal, work.begin);
  caller.abort('late');
  expect(work.signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  work.ends[1]?.resolve('again');
  expect(await next).toBe('again');
});

test('work is not done in the async context of the caller who begins it', async () => {
  const context = new AsyncLocalStorage<string>();
  const shared = new SharedWork();
  const seen = await context.run('the first caller', () =>
    shared.join('a', new AbortController().signal, async () => context.getStore()),
  );
  expect(seen).toBeUndefined();
});

test('who asks at one moment is answered together, by what is done after all have asked', async () => {
  const shared = new SharedWork();
  let state = 'old';
  let asked = 0;
  let letGo = (): void => undefined;
  const work = async () => {
    asked += 1;
    const answer = state;
    await new Promise<void>((resolve) => (letGo = resolve));
    return answer;
  };
  const isAsked = async (times: number) => {
    await eventually(() => expect(asked).toBe(times));
    return letGo;
  };
  const together = [shared.ask('a', work), shared.ask('a', work)];
  state = 'new';
  (await isAsked(1))();
  expect(await Promise.all(together)).toEqual(['new', 'new']);
  // An answer that is under way is older than the question of whoever comes now.
  const before = shared.ask('a', work);
  const letBeforeGo = await isAsked(2);
  state = 'newer';
  const now = shared.ask('a', work);
  (await isAsked(3))();
  letBeforeGo();
  expect(await now).toBe('newer');
  expect(await before).toBe('new');
});
