import type { ServerResponse } from 'node:http';
import type { ExplainedStep } from '../explain/explanation.ts';
import type { Snapshot } from './run-feed.ts';

/** The ID of the last event of a run: whoever has it has everything. */
export const END = 'end';

/** How far back a resumed stream begins, in milliseconds: clocks of workers differ a little. */
const OVERLAP_MS = 1_000;

/**
 * Writes what happens in a run as server-sent events (https://html.spec.whatwg.org/#server-sent-events):
 * `step` for each change of a step, `run` for each change of the run, `end` at its end. An event
 * holds the whole state of what it is about: a reader that falls behind gets the latest, and misses
 * what lay between, so that no more than an event too many waits for it here. Events may come again
 * after a reconnection: each has an ID.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #since: string | undefined;
  readonly #sentSteps = new Map<string, string>();
  #sentRun = '';
  #latest: Snapshot | undefined;
  #finished = false;

  /** @param lastEventId of the reader's last connection; one that is no ID of ours is ignored */
  constructor(response: ServerResponse, lastEventId: string | undefined) {
    this.#response = response;
    const time = Date.parse(lastEventId?.split('/')[0] ?? '');
    this.#since = Number.isNaN(time) ? undefined : new Date(time - OVERLAP_MS).toISOString();
    response.on('drain', () => this.#flow());
  }

  send(snapshot: Snapshot): void {
    this.#latest = snapshot;
    this.#flow();
  }

  /** Nothing more will be sent: ends when the reader has what was. */
  finish(): void {
    this.#finished = true;
    this.#flow();
  }

  /** Tells proxies and readers that the connection lives. */
  keepAlive(): void {
    if (!this.#response.writableNeedDrain) this.#response.write(': still here\n\n');
  }

  /** Writes what the reader lacks, until it reads more slowly than that: then it goes on later. */
  #flow(): void {
    for (const write of this.#writes()) {
      if (this.#response.writableNeedDrain) return;
      write();
    }
    if (this.#finished) this.#response.end();
  }

  *#writes(): Generator<() => void> {
    if (!this.#latest) return;
    const { run, steps, ended } = this.#latest;
    for (const step of steps.toSorted(byTime)) {
      yield () => this.#sendStep(step);
    }
    const text = JSON.stringify(run);
    yield () => {
      if (text !== this.#sentRun) this.#write('run', text);
      this.#sentRun = text;
    };
    yield () => {
      if (ended) this.#write('end', text, END);
      this.#latest = undefined;
    };
  }

  #sendStep(step: ExplainedStep): void {
    const at = changedAt(step);
    if (at === null) return;
    const state = `${at} ${step.state}`;
    if (this.#sentSteps.get(step.id) === state) return;
    this.#sentSteps.set(step.id, state);
    if (this.#since !== undefined && at < this.#since) return;
    this.#write('step', JSON.stringify(step), `${at}/${step.id}`);
  }

  #write(event: string, data: string, id?: string): void {
    this.#response.write(
      `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`,
    );
  }
}

function changedAt({ claimedAt, endedAt }: ExplainedStep): string | null {
  return endedAt ?? claimedAt;
}

function byTime(a: ExplainedStep, b: ExplainedStep): number {
  return (changedAt(a) ?? '').localeCompare(changedAt(b) ?? '') || a.id.localeCompare(b.id);
}
