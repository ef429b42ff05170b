/**
 * Looks names up together: while one query is under way, those that come in wait for the next one.
 * So one connection serves any number of callers, and no answer is older than its question.
 *
 * @param find all rows of these names, by name
 */
export function lookUpTogether<Row>(
  find: (names: readonly string[]) => Promise<ReadonlyMap<string, Row>>,
): (name: string) => Promise<Row | undefined> {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: { names: Set<string>; found: Promise<ReadonlyMap<string, Row>> } | undefined;
  return async (name) => {
    if (!next) {
      const names = new Set<string>();
      const found = underWay.then(() => {
        next = undefined;
        return find([...names]);
      });
      // Those who asked hear of an error; those who come after them ask anew.
      underWay = found.catch(() => undefined);
      next = { names, found };
    }
    next.names.add(name);
    return (await next.found).get(name);
  };
}
