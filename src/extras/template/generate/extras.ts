import type { Manifest } from '../../../../scripts/read-manifests.ts';

/** What stands for a list of extras. */
export const DEFAULT_EXTRAS = ['explain', 'decisions', 'maintenance'];
/** A copy starts with one of them, and is brought up to date with the other. */
const ALWAYS = ['dev', 'upgrade'];
/** Makes copies, and a copy is none to copy from. */
const NEVER = 'template';
/** Plays the example. */
const DEMO = 'demo';
/** The example's shop takes idempotency keys. */
const WITH_EXAMPLE = [DEMO, 'idempotency'];

/** The extras that a copy may have. */
export function offeredExtras(manifests: ReadonlyMap<string, Manifest>): string[] {
  return [...manifests.keys()].filter((name) => name !== NEVER).sort();
}

/**
 * The extras of a copy: those that are wanted, those that they require, and those that every copy
 * has.
 *
 * @param wanted names, or one of `default`, `none` and `all`
 * @throws {RangeError} for a name that no extra has
 */
export function chooseExtras(
  manifests: ReadonlyMap<string, Manifest>,
  wanted: readonly string[],
  example: boolean,
): string[] {
  const offered = offeredExtras(manifests).filter((name) => example || name !== DEMO);
  const sets: Record<string, string[]> = { default: DEFAULT_EXTRAS, none: [], all: offered };
  const chosen = new Set<string>();
  const add = (name: string): void => {
    if (!offered.includes(name)) {
      const only = name === DEMO ? ' It comes with --example.' : '';
      throw new RangeError(
        `There is no extra "${name}" for a copy.${only} There are: ${offered.join(', ')}; or one of ${Object.keys(sets).join(', ')}.`,
      );
    }
    if (chosen.has(name)) return;
    chosen.add(name);
    for (const required of manifests.get(name)?.requires ?? []) add(required);
  };
  const named = wanted.flatMap((name) => sets[name] ?? [name]);
  for (const name of [...ALWAYS, ...(example ? WITH_EXAMPLE : []), ...named]) add(name);
  return [...chosen].sort();
}
