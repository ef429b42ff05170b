import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiKeys, Caller } from './port.ts';

/** How long a key that was good may be used without another look. */
const ACCEPTED_FOR_MS = 1_000;
/** Clocks of two machines do not run equally fast. */
const CLOCKS_DIFFER_MS = 100;
/** Far more than callers have; beyond it everything is looked up again. */
const MOST = 10_000;

interface Accepted {
  caller: Caller;
  asked: Moment;
}

/** Of two clocks: one may be set, the other stands still while the machine sleeps. */
interface Moment {
  steady: number;
  wall: number;
}

/**
 * Remembers for a second which keys were good, and nothing of any other. `revoke` waits until
 * nobody can remember the key any more, in whatever process: whoever has been told that a key is
 * revoked can rely on it.
 */
export function rememberAccepted(keys: ApiKeys): ApiKeys {
  const accepted = new Map<string, Accepted>();
  return {
    create: (of) => keys.create(of),
    list: (tenant) => keys.list(tenant),
    close: () => keys.close(),
    async authenticate(key) {
      // By its hash: how long it takes to find one says nothing of the key.
      const digest = createHash('sha256').update(key, 'utf8').digest('base64');
      const known = accepted.get(digest);
      if (known && isFresh(known.asked)) return known.caller;
      accepted.delete(digest);
      // Before it is asked: the answer may be as old as the question.
      const asked = now();
      const caller = await keys.authenticate(key);
      if (!caller) return undefined;
      if (accepted.size >= MOST) accepted.clear();
      accepted.set(digest, { caller, asked });
      return caller;
    },
    async revoke(prefix) {
      const revoked = await keys.revoke(prefix);
      if (revoked) await sleep(ACCEPTED_FOR_MS + CLOCKS_DIFFER_MS);
      return revoked;
    },
  };
}

function now(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

function isFresh(asked: Moment): boolean {
  const { steady, wall } = now();
  return steady - asked.steady < ACCEPTED_FOR_MS && Math.abs(wall - asked.wall) < ACCEPTED_FOR_MS;
}
