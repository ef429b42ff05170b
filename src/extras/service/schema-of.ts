import type { z } from 'zod';

/** `true` where two types are the same one, members that may be absent included. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * A schema that must stay in step with a type: another member on either side, or one of another
 * type, is an error of the compiler at the schema.
 */
export function schemaOf<T>() {
  return <S extends z.ZodType>(schema: S & (Same<z.output<S>, T> extends true ? S : never)): S =>
    schema;
}
