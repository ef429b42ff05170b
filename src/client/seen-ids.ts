const MOST = 10_000;

/**
 * The latest workflow IDs that a client has seen taken. For one of them a start looks before it
 * asks for a new run: the refusal would be the slowest request of a duplicate. Only a hint: what is
 * under the ID is asked every time.
 */
export class SeenIds {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    // A set keeps its order: what is added again becomes the latest.
    this.#ids.delete(id);
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > MOST && oldest !== undefined) this.#ids.delete(oldest);
  }
}
