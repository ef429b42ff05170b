import type { OpaquePart } from '../port.ts';

/** Gives back a part that this endpoint wants to see again; `undefined`: it is none of its own. */
export type Kept = (part: OpaquePart | undefined) => OpaquePart | undefined;
