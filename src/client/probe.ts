import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** What a probe waits for an answer. */
const WITHIN_MS = 2_000;

/** Whether what was asked is answered within two seconds. */
export function answersInTime(asked: Promise<unknown>): Promise<boolean> {
  const answered = asked.then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(WITHIN_MS, false, { ref: false })]);
}

/** Rejects where Temporal's server does not answer within that time. */
export async function pingTemporal(client: Client): Promise<void> {
  await client.withDeadline(Date.now() + WITHIN_MS, () => client.workflowService.getSystemInfo({}));
}
