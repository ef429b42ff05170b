import { setTimeout as sleep } from 'node:timers/promises';
import { countedBetween, readCounts, type Counts } from '../temporal-metrics.ts';

/** Sent all the time by workers and by parts of the server itself. */
const OF_OTHERS =
  /^(?:Poll\w+TaskQueue|Respond|Record|GetSystemInfo|GetClusterInfo|DescribeNamespace)/;

const LOOK_EVERY_MS = 250;
/** The server adds to its metrics each second. */
const STEADY_LOOKS = 10;

/**
 * Requests that Temporal's frontend counted since it started, once it counts no more of them.
 *
 * @param others those that are left out
 */
export async function requestsToTemporal(metricsUrl: string, others = OF_OTHERS): Promise<Counts> {
  const read = async (): Promise<Counts> => {
    const counts = await readCounts(metricsUrl, 'service_requests', 'operation');
    return new Map([...counts].filter(([operation]) => !others.test(operation)));
  };
  let last = await read();
  for (let steady = 0; steady < STEADY_LOOKS;) {
    await sleep(LOOK_EVERY_MS);
    const now = await read();
    steady = countedBetween(last, now).size === 0 ? steady + 1 : 0;
    last = now;
  }
  return last;
}

/** What was counted in between, as text: `2 DescribeWorkflowExecution`. */
export function difference(before: Counts, after: Counts): string {
  return [...countedBetween(before, after)]
    .map(([operation, more]) => `${more} ${operation}`)
    .sort()
    .join(', ');
}
