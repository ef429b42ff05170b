import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** What a probe waits for an answer. */
const WITHIN_MS = 2_000;
const REMEMBERED_MS = 1_000;

/** Whether what was asked is answered within two seconds. */
function answersInTime(asked: Promise<unknown>): Promise<boolean> {
  const answered = asked.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(WITHIN_MS, false, { ref: false })]);
}

/**
 * Whether what is asked is answered in time. It asks one at a time and knows the answer for a second: anybody
 * may look at a probe, as often as they like.
 */
export function answering(ask: () => Promise<unknown>): () => Promise<boolean> {
  let asked: Promise<unknown> | undefined;
  return () => {
    asked ??= ask().finally(() => setTimeout(() => (asked = undefined), REMEMBERED_MS).unref());
    return answersInTime(asked);
  };
}

/** Rejects where Temporal's server does not answer within that time. */
export async function pingTemporal(client: Client): Promise<void> {
  await client.withDeadline(Date.now() + WITHIN_MS, () => client.workflowService.getSystemInfo({}));
}
