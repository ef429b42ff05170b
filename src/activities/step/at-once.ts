import { AsyncLocalStorage } from 'node:async_hooks';

/** What is called in each rhythm. */
const rhythms = new Map<number, { calls: Set<() => void>; timer: NodeJS.Timeout }>();

/**
 * Calls a function again and again, together with all others of its rhythm: what they ask of a server
 * goes along in one round trip. Each is called in the context that it comes from.
 *
 * @param everyMs the rhythm; the first call may come sooner
 * @returns to be called when it is over
 */
export function everyAtOnce(everyMs: number, call: () => void): () => void {
  const own = AsyncLocalStorage.bind(call);
  const calls = rhythms.get(everyMs)?.calls ?? begin(everyMs);
  calls.add(own);
  return () => {
    if (!calls.delete(own) || calls.size > 0) return;
    clearInterval(rhythms.get(everyMs)?.timer);
    rhythms.delete(everyMs);
  };
}

function begin(everyMs: number): Set<() => void> {
  const calls = new Set<() => void>();
  const timer = setInterval(() => {
    for (const call of calls) call();
  }, everyMs);
  rhythms.set(everyMs, { calls, timer });
  return calls;
}
