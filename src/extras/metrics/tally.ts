import { Counter, type Registry } from 'prom-client';

/**
 * A counter of which each series is told as 0 once before anything else. Prometheus sees what was added
 * between two values: of a series that begins with its first event, that one would be in no sum.
 * What is counted before the 0 was told is told by the scrape after it.
 */
export class Tally<Label extends string> {
  readonly #counter: Counter<Label>;
  /** What was counted of series that were not told yet, or as 0 only. */
  readonly #new = new Map<string, { labels: Record<Label, string>; sum: number; told: boolean }>();
  readonly #known = new Set<string>();

  constructor(registry: Registry, name: string, help: string, labelNames: readonly Label[]) {
    const collect = (): void => this.#tell();
    this.#counter = new Counter({ registers: [registry], name, help, labelNames, collect });
  }

  add(labels: Record<Label, string>, by = 1): void {
    const id = Object.values(labels).join('\n');
    if (this.#known.has(id)) {
      this.#counter.inc(labels, by);
      return;
    }
    const { sum = 0, told = false } = this.#new.get(id) ?? {};
    this.#new.set(id, { labels, sum: sum + by, told });
  }

  /** Right before the values are told. */
  #tell(): void {
    for (const [id, { labels, sum, told }] of this.#new) {
      if (told) {
        this.#counter.inc(labels, sum);
        this.#known.add(id);
        this.#new.delete(id);
      } else {
        this.#counter.inc(labels, 0);
        this.#new.set(id, { labels, sum, told: true });
      }
    }
  }
}
