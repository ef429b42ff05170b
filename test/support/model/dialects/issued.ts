import { randomBytes } from 'node:crypto';
import type { CallIds } from '../../../../src/extras/dev/scripted-model/calls.ts';

/** New ones for every answer: an endpoint that wants to recognise a turn must know its own. */
export const uniqueIds: CallIds = () => `call_${randomBytes(12).toString('hex')}`;

/** More than any test has; enough to bound a server that runs for days. */
const KEYS = 20_000;
const VALUES_PER_KEY = 100;

/** What an endpoint has issued, to recognise it when it comes back. Forgets the oldest. */
export class Issued<T> {
  readonly #byKey = new Map<string, T[]>();

  add(key: string, value: T): void {
    const values = this.#byKey.get(key) ?? [];
    values.push(value);
    if (values.length > VALUES_PER_KEY) values.shift();
    this.#byKey.set(key, values);
    if (this.#byKey.size <= KEYS) return;
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest);
      return;
    }
  }

  /** Several, where the same key was issued more than once. */
  get(key: string): readonly T[] {
    return this.#byKey.get(key) ?? [];
  }
}
