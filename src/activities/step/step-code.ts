import { AsyncLocalStorage } from 'node:async_hooks';
import type { Effect } from '../../contract/step.ts';

/**
 * How an error came up that nothing awaited: as a rejection, which belongs for certain to the code
 * that made the promise; or thrown by a callback, whose context may be that of whoever opened the
 * connection it is called on.
 */
export type StrayKind = 'rejection' | 'exception';

/**
 * What became of it: `failed`, the step that it belongs to; `over`, that step has ended before, and
 * nothing else is concerned; `unknown`: it may be of any step, or of none.
 */
export type StrayEnd = { became: 'failed' | 'over'; step: string } | { became: 'unknown' };

/** How long a tool may go on whose effect must not happen twice: the next attempt looks for it. */
const GRACE_MS = 1_000;

const here = new AsyncLocalStorage<StepCode | undefined>();

/** What a step's own code threw where nothing awaited it. */
export class StrayError extends Error {
  override readonly name = 'StrayError';

  constructor(thrown: unknown) {
    super(`${describeThrown(thrown)} (thrown by code of the step that nothing awaits)`);
  }
}

/** The code of one attempt of a step: whatever it calls, also later, is known to be its. */
export class StepCode {
  readonly #step: string;
  readonly #effect: Effect | null;
  readonly #strayed: Promise<never>;
  #fail: (error: StrayError) => void = () => {};
  #tell: (error: StrayError) => void = () => {};
  #runs = true;
  #blamed = false;

  constructor(step: string, effect: Effect | null) {
    this.#step = step;
    this.#effect = effect;
    this.#strayed = new Promise((_resolve, reject) => (this.#fail = reject));
    // Nobody waits for it, where the step has no code of its own.
    this.#strayed.catch(() => {});
  }

  /** Runs the attempt. After it no error is the step's any more. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await here.run(this, attempt);
    } finally {
      this.#runs = false;
    }
  }

  /** What is to be told at once when the step's code has failed: to stop. */
  onStray(tell: (error: StrayError) => void): void {
    this.#tell = tell;
  }

  /**
   * Waits for work of the step, and no longer when its code has thrown where nothing awaited it: a
   * promise that such code should have settled is never settled.
   */
  unlessStrayed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#strayed]);
  }

  /** Blames the step for an error; see `StrayEnd`. */
  blame(thrown: unknown, kind: StrayKind): StrayEnd {
    const step = this.#step;
    const last = this.#effect === 'at-most-once' || this.#effect === 'reconcile';
    if (this.#blamed) return { became: 'over', step };
    // Whoever opened a connection may have ended long ago; and a person would be asked about an
    // effect whose own code did nothing wrong.
    const certain = kind === 'rejection' || (this.#runs && this.#effect !== 'at-most-once');
    if (!certain) return { became: 'unknown' };
    if (!this.#runs) return { became: 'over', step };
    this.#blamed = true;
    const error = new StrayError(thrown);
    this.#tell(error);
    if (last) setTimeout(() => this.#fail(error), GRACE_MS);
    else this.#fail(error);
    return { became: 'failed', step };
  }
}

/** Blames the step in whose code an error came up, where that can be told. */
export function blameStep(thrown: unknown, kind: StrayKind): StrayEnd {
  return here.getStore()?.blame(thrown, kind) ?? { became: 'unknown' };
}

/**
 * Runs what all steps share, such as a connection, in the context of none: what is opened by it
 * calls back in the context in which it was opened.
 */
export function outsideSteps<T>(work: () => T): T {
  return here.run(undefined, work);
}

/** Text of what a tool threw: it may throw anything, also what throws when it is looked at. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return 'It threw something that cannot be shown.';
  }
}
