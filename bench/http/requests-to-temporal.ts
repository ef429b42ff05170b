import { setTimeout as sleep } from 'node:timers/promises';

/** Requests by their names. */
export type Counts = ReadonlyMap<string, number>;

/** Sent all the time by workers and by parts of the server itself. */
const OF_OTHERS =
  /^(?:Poll\w+TaskQueue|Respond|Record|GetSystemInfo|GetClusterInfo|DescribeNamespace)/;

const LOOK_EVERY_MS = 250;
/** The server adds to its metrics each second. */
const STEADY_LOOKS = 10;

/** Requests that Temporal's frontend counted since it started, once it counts no more of them. */
export async function requestsToTemporal(metricsUrl: string): Promise<Counts> {
  let last = await readMetrics(metricsUrl);
  for (let steady = 0; steady < STEADY_LOOKS;) {
    await sleep(LOOK_EVERY_MS);
    const now = await readMetrics(metricsUrl);
    steady = difference(last, now) === '' ? steady + 1 : 0;
    last = now;
  }
  return last;
}

async function readMetrics(metricsUrl: string): Promise<Counts> {
  const response = await fetch(metricsUrl);
  if (!response.ok) throw new Error(`${metricsUrl} answered ${response.status}`);
  const counts = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const [, labels = '', count] = /^service_requests\{(.*)\} (\S+)$/.exec(line) ?? [];
    const operation = /(?:^|,)operation="([^"]+)"/.exec(labels)?.[1];
    if (operation === undefined || !labels.includes('service_name="frontend"')) continue;
    if (OF_OTHERS.test(operation)) continue;
    counts.set(operation, (counts.get(operation) ?? 0) + Number(count));
  }
  return counts;
}

/** What was counted in between. */
export function countsBetween(before: Counts, after: Counts): Counts {
  return new Map(
    [...after]
      .map(([operation, count]) => [operation, count - (before.get(operation) ?? 0)] as const)
      .filter(([, more]) => more > 0),
  );
}

/** What was counted in between, as text: `2 DescribeWorkflowExecution`. */
export function difference(before: Counts, after: Counts): string {
  return [...countsBetween(before, after)]
    .map(([operation, more]) => `${more} ${operation}`)
    .sort()
    .join(', ');
}
