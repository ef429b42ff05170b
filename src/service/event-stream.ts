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
 * what lay between. Events may come again after a reconnection: each has an ID.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #since: string | undefined;
  readonly #sentSteps = new Map<string, string>();
  #sentRun = '';
  #waiting: Snapshot | undefined;

  /** @param lastEventId of the reader's last connection; one that is no ID of ours is ignored */
  constructor(response: ServerResponse, lastEventId: string | undefined) {
    this.#response = response;
    const time = Date.parse(lastEventId?.split('/')[0] ?? '');
    this.#since = Number.isNaN(time) ? undefined : new Date(time - OVERLAP_MS).toISOString();
    response.on('drain', () => {
      const snapshot = this.#waiting;
      this.#waiting = undefined;
      if (snapshot) this.send(snapshot);
    });
  }

  send(snapshot: Snapshot): void {
    // A slow reader is not written to: it gets what is then the latest.
    if (this.#response.writableNeedDrain) {
      this.#waiting = snapshot;
      return;
    }
    for (const step of snapshot.steps.toSorted(byTime)) this.#sendStep(step);
    const run = JSON.stringify(snapshot.run);
    if (run !== this.#sentRun) this.#write('run', run);
    this.#sentRun = run;
    if (!snapshot.ended) return;
    this.#write('end', run, END);
    this.#response.end();
  }

  /** Tells proxies and readers that the connection lives. */
  keepAlive(): void {
    if (!this.#response.writableNeedDrain) this.#response.write(': still here\n\n');
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
