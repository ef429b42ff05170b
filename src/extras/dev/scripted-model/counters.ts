/**
 * The step that asks: a key is a step's token, perhaps with `~` and a hash of the request behind
 * it.
 */
export function tokenOf(key: string): string {
  const [token = key] = key.split('~');
  return token;
}

/** How often the model was asked. */
export class Counters {
  #requests = 0;
  readonly #byToken = new Map<string, number>();
  readonly #byKey = new Map<string, number>();

  /** @param key the `Idempotency-Key` */
  countRequest(key: string | undefined): void {
    this.#requests += 1;
    if (key === undefined) return;
    increase(this.#byToken, tokenOf(key));
    increase(this.#byKey, key);
  }

  reset(): void {
    this.#requests = 0;
    this.#byToken.clear();
    this.#byKey.clear();
  }

  toJSON() {
    return {
      requests: this.#requests,
      byToken: Object.fromEntries(this.#byToken),
      byKey: Object.fromEntries(this.#byKey),
    };
  }
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
