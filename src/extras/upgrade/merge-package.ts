import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

/**
 * Merges `package.json` by its keys: what only one side changed since `base` is taken from it, and
 * where both changed the same the copy's own value stays.
 *
 * @returns `kept`: the keys where both changed, as `dependencies.zod`
 */
export function mergePackages(
  base: Json,
  own: Json,
  template: Json,
  path = '',
): { merged: Json; kept: string[] } {
  const merged: Json = {};
  const kept: string[] = [];
  for (const key of new Set([...Object.keys(own), ...Object.keys(template)])) {
    const [was, mine, theirs] = [base[key], own[key], template[key]];
    let value = mine;
    if (isDeepStrictEqual(mine, was)) value = theirs;
    else if (isObject(mine) && isObject(theirs)) {
      const inner = mergePackages(isObject(was) ? was : {}, mine, theirs, `${path}${key}.`);
      kept.push(...inner.kept);
      value = inner.merged;
    } else if (!isDeepStrictEqual(theirs, was) && !isDeepStrictEqual(theirs, mine)) {
      kept.push(path + key);
    }
    if (value !== undefined) merged[key] = value;
  }
  return { merged: path.endsWith('ependencies.') ? sorted(merged) : merged, kept };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As npm writes them. */
function sorted(packages: Json): Json {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
}
