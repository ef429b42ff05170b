import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import { setImmediate as endOfTurn } from 'node:timers/promises';

interface Caller {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

interface UnderWay {
  callers: Set<Caller>;
  stop: AbortController;
}

/** Work that several callers wait for, which is done once for all of them. Keeps nothing of it. */
export class SharedWork {
  readonly #underWay = new Map<string, UnderWay>();
  /** The first caller's own deadline, abort signal or metadata for Temporal are not the others'. */
  readonly #apart = AsyncLocalStorage.snapshot();

  /**
   * Resolves or rejects as the work of this name does; `work` begins it where none is under way. A
   * caller whose signal aborts leaves with the signal's reason; the last one to leave ends the work.
   */
  join<T>(
    name: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      signal.throwIfAborted();
      const shared = this.#underWay.get(name) ?? this.#begin(name, work);
      const leave = (): void => {
        shared.callers.delete(caller);
        if (shared.callers.size === 0) {
          this.#end(name, shared);
          shared.stop.abort();
        }
        reject(signal.reason);
      };
      // Called directly: a promise of the work would keep what each of its callers left there.
      const told = (answer: () => void): void => {
        signal.removeEventListener('abort', leave);
        answer();
      };
      const caller: Caller = {
        resolve: (value) => told(() => resolve(value)),
        reject: (reason) => told(() => reject(reason)),
      };
      shared.callers.add(caller);
      signal.addEventListener('abort', leave, { once: true });
    }) as Promise<T>;
  }

  /** Done once for all who ask at this moment, and begun after: no answer is older than its question. */
  ask<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.join(name, new AbortController().signal, async () => {
      await endOfTurn();
      this.#underWay.delete(name);
      return work();
    });
  }

  #begin(name: string, work: (signal: AbortSignal) => Promise<unknown>): UnderWay {
    const shared: UnderWay = { callers: new Set(), stop: new AbortController() };
    // Temporal's client adds a listener for every request of a long wait.
    setMaxListeners(0, shared.stop.signal);
    this.#underWay.set(name, shared);
    const tell = (answer: (caller: Caller) => void): void => {
      this.#end(name, shared);
      shared.callers.forEach(answer);
    };
    void this.#apart(async () => work(shared.stop.signal)).then(
      (value) => tell((caller) => caller.resolve(value)),
      (error: unknown) => tell((caller) => caller.reject(error)),
    );
    return shared;
  }

  /** From now on the next caller begins anew. */
  #end(name: string, shared: UnderWay): void {
    if (this.#underWay.get(name) === shared) this.#underWay.delete(name);
  }
}
