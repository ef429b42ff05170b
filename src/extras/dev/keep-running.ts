/** A server that this process started. */
export interface Server {
  /** Resolves when it ended, asked or not. */
  exited: Promise<unknown>;
  stop(): Promise<void>;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/**
 * Starts a server and starts it again when it dies, with growing delays, until it is stopped. The
 * first start's error is the caller's.
 *
 * @param start gets the server that has ended, so that it can keep its port
 */
export async function keepRunning<T extends Server>(
  part: string,
  start: (previous: T | undefined) => Promise<T>,
  log: (line: string) => void,
): Promise<{ first: T; stop(): Promise<void> }> {
  const first = await start(undefined);
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve());
  });
  let current = first;

  const supervise = async (): Promise<void> => {
    let delayMs = FIRST_DELAY_MS;
    for (;;) {
      await Promise.race([current.exited, stopped]);
      if (stopping.signal.aborted) return current.stop();
      log(`${part} ended unexpectedly; starting it again`);
      for (;;) {
        await Promise.race([stopped, sleep(delayMs)]);
        if (stopping.signal.aborted) return;
        try {
          current = await start(current);
          log(`${part} is back`);
          delayMs = FIRST_DELAY_MS;
          break;
        } catch (error) {
          delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
          log(`${part} did not start: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
  };
  const supervision = supervise();
  return {
    first,
    stop: () => {
      stopping.abort();
      return supervision;
    },
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
