import type { Client } from '@temporalio/client';
import { eventually } from './eventually.ts';
import { temporalMetricsUrl } from './servers.ts';

/** Counts of Temporal's own requests, by their kinds. */
export type Requests = Readonly<Record<string, number>>;

/** Comes last, so that all that was sent before it is counted too; sent by nobody else here. */
const LAST = 'CountWorkflowExecutions';

/** What clients have sent the suite's own server in a namespace since `before`, as the server counts it. */
export async function requestsOf(temporal: Client, before: Requests = {}): Promise<Requests> {
  // Metrics have no hyphens in their labels.
  const namespace = temporal.options.namespace.replaceAll('-', '_');
  const last = (await read(namespace))[LAST] ?? 0;
  await temporal.workflow.count();
  return eventually(async () => {
    const now = await read(namespace);
    if ((now[LAST] ?? 0) <= last) throw new Error('Temporal has not counted the last request yet');
    const kinds = Object.keys(now).filter((kind) => kind !== LAST && now[kind] !== before[kind]);
    return Object.fromEntries(kinds.map((kind) => [kind, (now[kind] ?? 0) - (before[kind] ?? 0)]));
  });
}

/** What workers send of themselves; the last when they begin, at a moment of their own. */
const OF_WORKERS = /^(?:Poll\w+TaskQueue|Respond|Record|DescribeNamespace)/;

async function read(namespace: string): Promise<Record<string, number>> {
  const metrics = await (await fetch(temporalMetricsUrl())).text();
  const counts: Record<string, number> = {};
  for (const line of metrics.split('\n')) {
    const [, labels = '', count] = /^service_requests\{(.*)\} (\S+)$/.exec(line) ?? [];
    const [, kind] = /operation="([^"]+)"/.exec(labels) ?? [];
    if (kind === undefined || OF_WORKERS.test(kind)) continue;
    if (!labels.includes('service_name="frontend"')) continue;
    if (labels.includes(`namespace="${namespace}"`)) counts[kind] = Number(count);
  }
  return counts;
}
