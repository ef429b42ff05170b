import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `check` no longer throws and returns what it returns: for what becomes true without
 * telling. The last error is thrown after `timeoutMs`.
 */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}
