import { setTimeout as sleep } from 'node:timers/promises';

/** A scrape waits so long for a new answer; then it is told the last one. */
const WAIT_MS = 3_000;

/**
 * What is called with each scrape, and asks somebody else: not more often than that, however often
 * somebody scrapes, and it never fails.
 *
 * @param oldMs after so long without an answer, what was answered is forgotten
 */
export function askedLately(
  everyMs: number,
  oldMs: number,
  ask: () => Promise<void>,
  forget: () => void,
): () => Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  let answered = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  return async () => {
    if (!asking && Date.now() - asked >= everyMs) {
      asked = Date.now();
      asking = ask()
        .then(
          () => void (answered = Date.now()),
          () => {},
        )
        .finally(() => (asking = undefined));
    }
    if (asking) await Promise.race([asking, sleep(WAIT_MS, undefined, { ref: false })]);
    if (Date.now() - answered > oldMs) forget();
  };
}
