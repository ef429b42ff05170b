import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { AGENT_RUN, FORGOTTEN } from '../src/contract/names.ts';
import type { FuzzedExecution } from './judge.ts';

const LOOKS_EVERY_MS = 250;

/**
 * All executions under the keys. Temporal lists what has ended a little later than it ends: waits until
 * as many are listed as open as really are.
 *
 * @param open how many have not ended
 * @param limitMs how long to wait at most; then what is listed is returned
 */
export async function readFuzzedExecutions(
  temporal: Client,
  open: number,
  limitMs: number,
): Promise<FuzzedExecution[]> {
  const over = Date.now() + limitMs;
  for (;;) {
    const executions = await list(temporal);
    const listed = executions.filter(({ closedAt }) => closedAt === null).length;
    if (listed <= open || Date.now() >= over) return executions;
    await sleep(LOOKS_EVERY_MS);
  }
}

async function list(temporal: Client): Promise<FuzzedExecution[]> {
  const found: FuzzedExecution[] = [];
  const query = `WorkflowType IN ('${AGENT_RUN}', '${FORGOTTEN}')`;
  for await (const { workflowId, runId, type, startTime, closeTime } of temporal.workflow.list({
    query,
  })) {
    found.push({
      workflowId,
      runId,
      type,
      startedAt: startTime.getTime(),
      closedAt: closeTime?.getTime() ?? null,
    });
  }
  return found;
}
