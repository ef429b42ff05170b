import { setTimeout as sleep } from 'node:timers/promises';
import { NET_MS } from './nets.ts';

/**
 * Waits until `check` no longer throws and returns what it returns: for what becomes true without
 * telling. Where that does not come, the error says for how long it waited, and what `check` threw
 * last.
 *
 * @param more added to that error, for instance what a process wrote
 */
export async function eventually<T>(
  check: () => Promise<T> | T,
  more: () => string = () => '',
): Promise<T> {
  const begun = Date.now();
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() - begun > NET_MS) throw explain(error, Date.now() - begun, more());
    }
    await sleep(50);
  }
}

/** The same error, so that its place and its difference are shown, with a longer message. */
function explain(error: unknown, waitedMs: number, more: string): Error {
  const last = error instanceof Error ? error : new Error(String(error));
  last.message = [`Still so after ${Math.round(waitedMs / 1_000)} s: ${last.message}`, more]
    .filter((part) => part !== '')
    .join('\n');
  return last;
}
