/** What Temporal's frontend counted since it started, by name. */
export type Counts = ReadonlyMap<string, number>;

/**
 * Reads a counter from Temporal's Prometheus metrics, of the frontend and of the namespace `default`.
 * The server adds to it each second.
 *
 * @param metric `service_requests`: RPCs; `action`: what the server itself takes for an action
 * @param label whose values the counts are by: `operation`, `action_type`
 */
export async function readCounts(
  metricsUrl: string,
  metric: string,
  label: string,
): Promise<Counts> {
  const response = await fetch(metricsUrl);
  if (!response.ok) throw new Error(`${metricsUrl} answered ${response.status}`);
  return countsIn(await response.text(), metric, label);
}

/** The same of what the metrics' page says. */
export function countsIn(page: string, metric: string, label: string): Counts {
  const counts = new Map<string, number>();
  for (const line of page.split('\n')) {
    const [, name, text = '', count] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (name !== metric) continue;
    const labels = new Map(
      [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
    );
    const by = labels.get(label);
    if (by === undefined || labels.get('service_name') !== 'frontend') continue;
    // Of the server's own workflows.
    if (labels.get('namespace') === 'temporal_system') continue;
    counts.set(by, (counts.get(by) ?? 0) + Number(count));
  }
  return counts;
}

/** What was counted in between, without what was not. */
export function countedBetween(before: Counts, after: Counts): Counts {
  return new Map(
    [...after]
      .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
      .filter(([, more]) => more > 0),
  );
}

export function sumOf(counts: Counts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
