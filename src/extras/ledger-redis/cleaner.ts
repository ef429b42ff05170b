import type {
  CleaningQuery,
  Home,
  LedgerCleaner,
  OldScope,
  OldScopes,
  Removed,
} from '../../ledger/cleaner.ts';
import type { Connection } from './connection.ts';
import { keys } from './keys.ts';
import { loadScript } from './script.ts';

const OLD = loadScript('old');
const UNMARK = loadScript('unmark');
const REMOVE = loadScript('remove');

/** Keys of one look at the server's, other programs' included. */
const KEYS_AT_ONCE = 1_000;
/** A script stops everybody else. */
const STEPS_AT_ONCE = 200;

/** Cleaning of the ledger in Redis. Scopes are found by scanning the keys, in no order. */
export class RedisCleaner implements LedgerCleaner {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async register({ id, name }: Home): Promise<Home[]> {
    await this.#connection.command(['HSET', keys.homes, id, name]);
    const reply = await this.#connection.command(['HGETALL', keys.homes]);
    const flat = Array.isArray(reply) ? reply.map(String) : [];
    return pairs(flat).flatMap(([id2, name2]) => (id2 === id ? [] : [{ id: id2, name: name2 }]));
  }

  async oldScopes({ olderThanMs, after, limit }: CleaningQuery): Promise<OldScopes> {
    const scopes: OldScope[] = [];
    let cursor = after ?? '0';
    let seen = 0;
    do {
      const from = cursor;
      const page = await this.#scan(from);
      cursor = page.next;
      seen += page.scopes.length;
      const read = page.scopes.map((scope) => this.#readOld(scope, olderThanMs, from));
      scopes.push(...(await Promise.all(read)).filter((old) => old !== undefined));
    } while (cursor !== '0' && seen < limit);
    return { scopes, next: cursor === '0' ? null : cursor };
  }

  async mark(scopes: readonly string[]): Promise<void> {
    await Promise.all(
      scopes.map((scope) =>
        this.#connection.command(['SET', keys.retired(scope), 'provisional', 'NX']),
      ),
    );
  }

  async unmark(scopes: readonly string[]): Promise<string[]> {
    const taken = await Promise.all(
      scopes.map((scope) => this.#connection.run(UNMARK, [keys.retired(scope)], [])),
    );
    return scopes.filter((_scope, at) => taken[at] === 1);
  }

  async remove(scope: string): Promise<Removed> {
    const total: Removed = { steps: 0, questions: 0, shares: 0, bytes: 0 };
    for (;;) {
      const reply = await this.#connection.run(
        REMOVE,
        [keys.index(scope), keys.questions(scope), keys.shares(scope), keys.retired(scope)],
        [keys.stepPrefix(scope), scope, STEPS_AT_ONCE],
      );
      const numbers = Array.isArray(reply) ? reply.map(Number) : [];
      const [steps = 0, questions = 0, shares = 0, bytes = 0] = numbers;
      total.steps += steps;
      total.questions += questions;
      total.shares += shares;
      total.bytes += bytes;
      if (steps < STEPS_AT_ONCE) return total;
    }
  }

  /** Some of the scopes that there are, each once; over all cursors each at least once. */
  async #scan(cursor: string): Promise<{ next: string; scopes: string[] }> {
    const [prefix = '', suffix = ''] = keys.index('*').split('*');
    const reply = await this.#connection.command([
      'SCAN',
      cursor,
      'MATCH',
      keys.index('*'),
      'COUNT',
      KEYS_AT_ONCE,
    ]);
    const [next, found] = Array.isArray(reply) ? reply : [];
    const names = Array.isArray(found) ? found.map(String) : [];
    const scopes = names.map((name) => name.slice(prefix.length, -suffix.length));
    return { next: String(next), scopes: [...new Set(scopes)] };
  }

  /** `undefined`: something happened there lately. */
  async #readOld(scope: string, olderThanMs: number, from: string): Promise<OldScope | undefined> {
    const reply = await this.#connection.run(
      OLD,
      [keys.index(scope), keys.questions(scope), keys.shares(scope)],
      [keys.stepPrefix(scope), olderThanMs],
    );
    if (!Array.isArray(reply)) return undefined;
    const executions = pairs(reply.map(String)).map(([workflowId, runId]) => ({
      workflowId,
      runId,
    }));
    // What was found with this scope is found again from there.
    return { scope, cursor: from, executions };
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((each, at) =>
    at % 2 === 0 ? [[each, flat[at + 1] ?? ''] as [string, string]] : [],
  );
}
