import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createRandom } from '../random.ts';
import { startShop, type Shop } from '../shop.ts';

let shop: Shop;
beforeEach(async () => {
  const classes = { look: 'read', charge: 'keyed', book: 'reconcile' };
  shop = await startShop(
    ({ path }) => ({ tool: path.slice(1), label: 'x' }),
    classes,
    // No answer is dropped.
    { ...createRandom(1), next: () => 1, between: () => 0 },
  );
});
afterEach(() => shop.stop());

async function ask(method: string, tool: string, key?: string): Promise<number> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return (await fetch(`${shop.url}/${tool}`, { method, headers })).status;
}
const count = (tool: string) => shop.effects.filter((effect) => effect.tool === tool).length;

test('a GET of a read tool is answered, and is its effect each time', async () => {
  expect(await ask('GET', 'look', 'token')).toBe(200);
  expect(await ask('GET', 'look', 'token')).toBe(200);
  expect(count('look')).toBe(2);
});

test('a GET of another tool looks for its effect, by the token where there is one', async () => {
  expect(await ask('GET', 'book')).toBe(404);
  expect(await ask('POST', 'book', 'token')).toBe(200);
  expect(await ask('GET', 'book', 'token')).toBe(200);
  expect(await ask('GET', 'book', 'another')).toBe(404);
  expect(await ask('GET', 'book')).toBe(200);
  expect(count('book')).toBe(1);
});

test('the same key has the effect of a keyed tool once', async () => {
  for (const key of ['one', 'one', 'two']) expect(await ask('POST', 'charge', key)).toBe(200);
  expect(count('charge')).toBe(2);
});
