import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { assertAnswer, type Contender } from '../contenders.ts';

/** Starts that a caller has under way at once. */
const STARTS_AT_ONCE = 50;
const LOOK_EVERY_MS = 250;
const LIMIT_MS = 900_000;

/**
 * Starts runs without waiting for any.
 *
 * @returns what their workflow IDs begin with
 */
export async function startMany(contender: Contender, runs: number): Promise<string> {
  const batch = randomUUID();
  let batchId = '';
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < runs) {
      const key = `${batch}-${(begun += 1)}`;
      const workflowId = await contender.start(key);
      batchId = workflowId.slice(0, workflowId.length - key.length + batch.length);
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, lane));
  return batchId;
}

/** One poller counts in Temporal's visibility: nobody waits for a single run. */
export async function untilClosed(temporal: Client, batch: string): Promise<void> {
  await until('all runs are closed', async () => {
    const running = `WorkflowId STARTS_WITH '${batch}' AND ExecutionStatus = 'Running'`;
    return (await temporal.workflow.count(running)).count === 0;
  });
}

/** When the last run closed, as Temporal says. @throws if one did not end with the answer */
export async function lastClose(temporal: Client, batch: string): Promise<number> {
  let last = 0;
  const query = `WorkflowId STARTS_WITH '${batch}'`;
  for await (const { workflowId, closeTime } of temporal.workflow.list({ query })) {
    const result: unknown = await temporal.workflow.getHandle(workflowId).result();
    // Ours says more than the answer.
    assertAnswer(typeof result === 'object' ? (result as { output?: unknown }).output : result);
    last = Math.max(last, Number(closeTime));
  }
  return last;
}

/** @throws after a quarter of an hour */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited too long until ${what}.`);
    await sleep(LOOK_EVERY_MS);
  }
}
