import type { ServerResponse } from 'node:http';
import type { Snapshot } from '../service/run-feed.ts';

/** Sends the parts of a page that have changed, each as an event of its name. */
export class LiveParts {
  readonly #response: ServerResponse;
  readonly #draw: () => Promise<Record<string, string>>;
  readonly #sent = new Map<string, string>();
  #seen = '';
  #isDue = false;
  #drawing: Promise<void> | undefined;

  /** @param draw the parts as they are now, as HTML by their names */
  constructor(response: ServerResponse, draw: () => Promise<Record<string, string>>) {
    this.#response = response;
    this.#draw = draw;
  }

  /** Draws again if the run has changed; what changes while it draws is drawn once more. */
  changed(snapshot: Snapshot): void {
    const state = JSON.stringify(snapshot, withoutClocks);
    if (state === this.#seen) return;
    this.#seen = state;
    this.refresh();
  }

  /** Draws again: some of what a page shows is in no snapshot, as whether a worker is there. */
  refresh(): void {
    if (this.#response.writableEnded) return;
    this.#isDue = true;
    // The reader comes back by itself, and is told anew.
    this.#drawing ??= this.#drawLatest()
      .catch(() => void this.#response.end())
      .finally(() => (this.#drawing = undefined));
  }

  /** Sends what is left, and that nothing more will come. */
  async finish(): Promise<void> {
    await this.#drawing;
    if (!this.#response.writableEnded) this.#response.end('event: end\ndata: {}\n\n');
  }

  async #drawLatest(): Promise<void> {
    while (this.#isDue) {
      // Whoever reads slowly gets the latest, and not what lay between.
      if (this.#response.writableNeedDrain) await drained(this.#response);
      this.#isDue = false;
      const parts = Object.entries(await this.#draw());
      if (this.#response.writableEnded || this.#response.closed) return;
      for (const [name, html] of parts) {
        const essence = withoutTimes(html);
        if (this.#sent.get(name) === essence) continue;
        this.#sent.set(name, essence);
        this.#response.write(`event: ${name}\ndata: ${JSON.stringify(html)}\n\n`);
      }
    }
  }
}

/** A lease runs down all the time. */
function withoutClocks(name: string, value: unknown): unknown {
  return name === 'leaseLeftMs' ? Number(value) > 0 : value;
}

/** The browser keeps the clocks of a page running. */
function withoutTimes(html: string): string {
  return html.replaceAll(/(<time[^>]*>)[^<]*/g, '$1');
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve).once('close', resolve);
  });
}
