import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import { AgentOnceError } from '../contract/errors.ts';
import { oneLine } from '../contract/plain-text.ts';

/** How often is looked whether a worker has failed, and whether its steps have ended. */
const LOOK_EVERY_MS = 100;
/** Beyond the time that steps have, for their last words to Temporal. */
const MARGIN_MS = 2_000;

/**
 * Runs workers until the signal aborts and their steps have ended. When one of them fails, or the
 * process has to leave for another reason, steps under way have `graceMs` and no more.
 *
 * @param leaving aborts with the reason for which the process has to end by itself; a worker that
 *   fails is one
 * @param whyFailed why a worker has failed, where it has said so
 */
export async function runUntilStopped(
  workers: readonly Worker[],
  signal: AbortSignal,
  leaving: AbortController,
  graceMs: number,
  whyFailed: () => unknown,
): Promise<void> {
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const fail = (error?: unknown): void => leaving.abort(pollingFailed(whyFailed() ?? error));
  const ended = Promise.all(workers.map((worker) => worker.run().catch(fail)));
  // What has failed may never say so: it waits for its own end.
  const looking = setInterval(() => {
    if (workers.some((worker) => worker.getState() === 'FAILED')) fail();
  }, LOOK_EVERY_MS);
  const over = new AbortController();
  try {
    for (const reason of [signal, leaving.signal]) {
      if (reason.aborted) stop();
      reason.addEventListener('abort', stop, { once: true });
    }
    await Promise.race([ended, aborted(leaving.signal)]);
    if (!leaving.signal.aborted) return;
    const late = sleep(graceMs + MARGIN_MS, undefined, { signal: over.signal }).catch(() => {});
    const quiet = Promise.all([ended, untilIdle(workers, over.signal)]);
    await Promise.race([quiet, late]);
  } finally {
    clearInterval(looking);
    over.abort();
  }
}

/** Also of workers that have failed: their steps go on, and can be recorded. */
async function untilIdle(workers: readonly Worker[], over: AbortSignal): Promise<void> {
  const isBusy = (worker: Worker): boolean => worker.getStatus().numInFlightActivities > 0;
  while (!over.aborted && workers.some(isBusy)) {
    await sleep(LOOK_EVERY_MS);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function pollingFailed(cause: unknown): AgentOnceError {
  const said = cause instanceof Error ? oneLine(cause.message).slice(0, 500) : '';
  const why = said === '' ? '' : `: ${said.replace(/\.$/, '')}`;
  return new AgentOnceError(
    'worker.polling_failed',
    `This worker can take no more work from Temporal${why}. Steps under way were given time to end, and what they recorded is kept; other workers go on with the runs. ` +
      'Start it again. Where it ends in the same way, look at the namespace, and at the rights of TEMPORAL_API_KEY or the client certificate.',
    { cause },
  );
}
