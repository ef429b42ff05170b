import { createHash } from 'node:crypto';
import type { Sent } from './send.ts';

/** Answers of a run of tests. */
const KEPT = 1000;

interface Entry {
  bodyHash: string;
  /** `undefined`: no whole answer with status 200. */
  outcome: Promise<Sent | undefined>;
}

/**
 * A gateway that honours `Idempotency-Key`: the first whole 200 answer is kept, and given again to
 * everybody who comes with the same key. Whether a client can read that answer, it does not ask.
 */
export class Gateway {
  readonly #entries = new Map<string, Entry>();
  /** Every request goes through it, not only those below `/gateway`. */
  always = false;

  /**
   * @param ask sends the request on, and says what was answered
   * @returns an earlier answer; `conflict`: another body came with this key; `undefined`: `ask` was
   *   called, and has answered
   */
  async pass(
    key: string,
    raw: Buffer,
    ask: () => Promise<Sent | undefined>,
  ): Promise<Sent | 'conflict' | undefined> {
    const bodyHash = createHash('sha256').update(raw).digest('hex');
    for (;;) {
      const earlier = this.#entries.get(key);
      if (!earlier) break;
      if (earlier.bodyHash !== bodyHash) return 'conflict';
      const sent = await earlier.outcome;
      if (sent) return sent;
      // Another request may have begun while this one waited.
      if (this.#entries.get(key) === earlier) this.#entries.delete(key);
    }
    const outcome = ask().then((sent) => (sent?.status === 200 ? sent : undefined));
    const entry = { bodyHash, outcome };
    this.#entries.set(key, entry);
    this.#forgetOldest();
    const sent = await outcome;
    if (!sent && this.#entries.get(key) === entry) this.#entries.delete(key);
    return undefined;
  }

  clear(): void {
    this.#entries.clear();
  }

  #forgetOldest(): void {
    if (this.#entries.size <= KEPT) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
