import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { tokenOf } from './counters.ts';
import { parseJson } from './json-body.ts';

const KEPT = 200;
/** A longer body is kept as far as this. */
const BODY_BYTES = 256 * 1024;

/** `token`: the part of the key before a `~`; `last`: at most so many. */
export const requestQuery = z.object({
  token: z.string().optional(),
  key: z.string().optional(),
  last: z.coerce.number().int().positive().optional(),
});

interface Kept {
  path: string;
  key: string | undefined;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  truncated: boolean;
}

/** The last requests to the model, for tests that look at what came back. */
export class RecentRequests {
  #kept: Kept[] = [];

  add(path: string, headers: IncomingHttpHeaders, raw: Buffer): void {
    this.#kept.push({
      path,
      key: headers['idempotency-key']?.toString(),
      headers,
      // A copy: a part of the buffer would hold on to all of it.
      bytes: Buffer.from(raw.subarray(0, BODY_BYTES)),
      truncated: raw.length > BODY_BYTES,
    });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  /** The oldest first. */
  find({ token, key, last }: z.output<typeof requestQuery>) {
    return this.#kept
      .filter((each) => token === undefined || tokenOf(each.key ?? '') === token)
      .filter((each) => key === undefined || each.key === key)
      .slice(-(last ?? KEPT))
      .map(({ bytes, truncated, ...rest }) => ({
        ...rest,
        truncated,
        body: truncated ? bytes.toString() : parseJson(bytes),
      }));
  }

  clear(): void {
    this.#kept = [];
  }
}
