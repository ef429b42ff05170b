import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';

interface Panel {
  type: string;
  title: string;
  targets?: { expr: string }[];
}

/** A query of the dashboard or of an alert. */
export interface Query {
  of: string;
  expr: string;
}

/** A metric that a query reads, and what it asks of labels. */
export interface Selector {
  metric: string;
  /** Labels that must have one of these values, or one at all. */
  labels: { name: string; values: string[] }[];
}

const folder = new URL('../../', import.meta.url);

export const alertRules = new URL('alert-rules.yml', folder);

const dashboard = JSON.parse(readFileSync(new URL('grafana-dashboard.json', folder), 'utf8')) as {
  panels: Panel[];
};

export const alerts = (
  parse(readFileSync(alertRules, 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  }
).groups.flatMap(({ rules }) => rules);

/** All queries, with Grafana's own variables as it would fill them in. */
export const queries: Query[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      of: `panel "${title}"`,
      expr: expr
        .replaceAll('$__range', '1h')
        .replaceAll('$__rate_interval', '1m')
        .replaceAll('$job', '.*'),
    })),
  ),
  ...alerts.map(({ alert, expr }) => ({ of: `alert ${alert}`, expr })),
];

/**
 * What a query reads. A label of a grouping is asked of all metrics of the query.
 *
 * @throws {Error} the query is not PromQL
 */
export function selectorsOf(expr: string): Selector[] {
  const selectors: Selector[] = [];
  const grouped = new Set<string>();
  const textOf = ({ from, to }: { from: number; to: number }) => expr.slice(from, to);
  parser.parse(expr).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`No PromQL at ${node.from}: ${expr}`);
      if (node.name === 'VectorSelector') {
        const metric = node.node.getChild('Identifier');
        selectors.push({ metric: metric ? textOf(metric) : '', labels: [] });
      }
      if (node.name === 'UnquotedLabelMatcher') {
        const [, name = '', value = ''] = /^(\w+)\s*=~?\s*"(.*)"$/.exec(textOf(node)) ?? [];
        // Prometheus itself adds the job.
        if (name !== 'job') selectors.at(-1)?.labels.push({ name, values: value.split('|') });
      }
      if (node.name === 'GroupingLabels') {
        for (const name of textOf(node).slice(1, -1).split(',')) grouped.add(name.trim());
      }
    },
  });
  // The buckets' limit, of histograms alone; and what Prometheus itself adds.
  for (const name of ['le', 'job']) grouped.delete(name);
  for (const { labels } of selectors) {
    for (const name of grouped) labels.push({ name, values: [] });
  }
  return selectors;
}
