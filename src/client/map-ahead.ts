/**
 * Does some work on each item, up to so many at once, and yields the results in the items' order.
 *
 * @throws what the work throws, when it is that item's turn
 */
export async function* mapAhead<T, U>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const begun: Promise<U>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Waited for in its turn: until then nobody hears that it failed.
    void result.catch(() => undefined);
    begun.push(result);
    const [first] = begun;
    if (first === undefined || begun.length < atOnce) continue;
    yield await first;
    void begun.shift();
  }
  for (const result of begun) yield await result;
}
