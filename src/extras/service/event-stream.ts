import type { ServerResponse } from 'node:http';
import type { ExplainedStep } from '../explain/explanation.ts';
import type { Snapshot } from './run-feed.ts';

/** The ID of the last event of an execution: whoever has it has everything, unless it was resumed. */
export function endOf(runId: string): string {
  return `end/${runId}`;
}

/** The ID of a `step` event: when the step changed, and which one it is. */
const STEP_EVENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\/(t\d+\.(?:model|c\d+))$/;

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
  /** The reader's last event: looked up in the first snapshot. */
  #lastEventId: string | undefined;
  #since: string | undefined;
  readonly #sentSteps = new Map<string, string>();
  #sentRun = '';
  #latest: Snapshot | undefined;
  #finished = false;

  /** @param lastEventId of the reader's last connection; one that this run never had is ignored */
  constructor(response: ServerResponse, lastEventId: string | undefined) {
    this.#response = response;
    this.#lastEventId = lastEventId;
    response.on('drain', () => this.#flow());
  }

  send(snapshot: Snapshot): void {
    if (this.#lastEventId !== undefined) {
      this.#since = sinceOf(this.#lastEventId, snapshot.steps);
      this.#lastEventId = undefined;
    }
    this.#latest = snapshot;
    this.#flow();
  }

  /** Nothing more will be sent: ends when the reader has what was. */
  finish(): void {
    this.#finished = true;
    this.#flow();
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
      if (ended) this.#write('end', text, endOf(run.runId));
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

/**
 * From when on the reader of an event lacks something. `undefined`, which is from the beginning, for
 * whatever is no ID of an event of these steps: a step is where it was then, or has gone on.
 */
function sinceOf(lastEventId: string, steps: readonly ExplainedStep[]): string | undefined {
  const [, at = '', id] = STEP_EVENT.exec(lastEventId) ?? [];
  const step = steps.find((each) => each.id === id);
  if (!step || (changedAt(step) ?? '') < at) return undefined;
  const time = Date.parse(at);
  return Number.isNaN(time) ? undefined : new Date(time - OVERLAP_MS).toISOString();
}

function changedAt({ claimedAt, endedAt }: ExplainedStep): string | null {
  return endedAt ?? claimedAt;
}

function byTime(a: ExplainedStep, b: ExplainedStep): number {
  return (changedAt(a) ?? '').localeCompare(changedAt(b) ?? '') || a.id.localeCompare(b.id);
}
