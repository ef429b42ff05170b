import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { readMetricsPort } from '../settings.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const Service = z.object({
  build: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
});
const { services, configs } = z
  .object({
    services: z.record(z.string(), Service),
    configs: z.record(z.string(), z.object({ file: z.string().optional() })),
  })
  .parse(parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8')));

/** What a service of docker-compose.yml is given, by the path where it finds it. */
function givenTo(service: string): Map<string, unknown> {
  return new Map(
    (services[service]?.configs ?? []).map(({ source, target }) => {
      const file = path.join(ROOT, configs[source]?.file ?? 'none');
      expect({ source, exists: existsSync(file) }).toEqual({ source, exists: true });
      return [target, parse(readFileSync(file, 'utf8')) as unknown];
    }),
  );
}

test('Prometheus asks each process of docker-compose.yml where it tells its metrics', () => {
  const Settings = z.object({
    rule_files: z.array(z.string()),
    scrape_configs: z.array(
      z.object({
        dns_sd_configs: z.array(z.object({ names: z.array(z.string()), port: z.number() })),
      }),
    ),
  });
  const given = givenTo('prometheus');
  const { rule_files, scrape_configs } = Settings.parse(
    given.get('/etc/prometheus/prometheus.yml'),
  );
  const asked = scrape_configs
    .flatMap(({ dns_sd_configs }) => dns_sd_configs)
    .flatMap(({ names, port }) => names.map((name) => ({ name, port })));
  for (const [name, { build, environment }] of Object.entries(services)) {
    if (build === undefined) continue;
    expect(asked).toContainEqual({ name, port: readMetricsPort(environment) });
  }
  expect(rule_files.map((file) => given.has(`/etc/prometheus/${file}`))).toEqual([true]);
});

test('Grafana begins with the dashboard, and knows where metrics are', () => {
  const given = givenTo('grafana');
  const home = services['grafana']?.environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  expect(given.get(home)).toMatchObject({ panels: expect.any(Array) });
  const provisioning = '/etc/grafana/provisioning';
  expect(given.get(`${provisioning}/dashboards/agent-once.yml`)).toMatchObject({
    providers: [{ options: { path: path.posix.dirname(home) } }],
  });
  expect(given.get(`${provisioning}/datasources/prometheus.yml`)).toMatchObject({
    datasources: [{ type: 'prometheus', url: 'http://prometheus:9090' }],
  });
});
