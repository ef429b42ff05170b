import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { readMetricsPort } from '../settings.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const Service = z.object({
  image: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
  ports: z.array(z.string()).default([]),
});
const File = z.object({
  services: z.record(z.string(), Service),
  configs: z.record(
    z.string(),
    z.union([z.object({ file: z.string() }), z.object({ content: z.string() })]),
  ),
});
const read = (file: string) =>
  File.parse(parse(readFileSync(path.join(ROOT, file), 'utf8'), { uniqueKeys: true }));

const base = read('docker-compose.yml');
const { services, configs } = read('src/extras/metrics/docker-compose.yml');
const inBase = Object.entries(services).filter(([name]) => base.services[name] !== undefined);
const added = Object.entries(services).filter(([name]) => base.services[name] === undefined);

/** What is in a config that stands in the file itself. */
function contentOf(name: string): unknown {
  const config = configs[name];
  return parse(config && 'content' in config ? config.content : '');
}

test('Prometheus asks each process of docker-compose.yml where it tells its metrics', () => {
  const { scrape_configs } = z
    .object({
      scrape_configs: z.array(
        z.object({ static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
      ),
    })
    .parse(contentOf('prometheus'));
  const told = inBase.map(([name, { environment }]) => `${name}:${readMetricsPort(environment)}`);
  expect(told.length).toBeGreaterThan(0);
  expect(scrape_configs.flatMap((each) => each.static_configs.flatMap((at) => at.targets))).toEqual(
    told,
  );
  // The others are this image's too.
  const ours = Object.entries(base.services).filter(([, { image }]) => image?.match(/^[\w-]+:0\./));
  expect(inBase.map(([name]) => name)).toEqual(ours.map(([name]) => name));
});

test('what it adds has a pinned image, and is told to this machine only', () => {
  expect(added.map(([name]) => name)).toEqual(['prometheus', 'grafana']);
  for (const [, { image, ports }] of added) {
    expect(image).toMatch(/^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  }
});

test('every file that they are given is there, under the name that they look for', () => {
  for (const [, its] of added) {
    for (const { source } of its.configs) {
      const config = configs[source];
      if (config === undefined) throw new Error(`There is no config ${source}.`);
      if ('file' in config) expect(existsSync(path.join(ROOT, config.file))).toBe(true);
    }
  }
  const targets = added.flatMap(([, its]) => its.configs.map(({ target }) => target));
  const home = services['grafana']?.environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  expect(targets).toContain(home);
  expect(contentOf('grafana-dashboards')).toMatchObject({
    providers: [{ options: { path: path.posix.dirname(home) } }],
  });
  expect(contentOf('prometheus')).toMatchObject({ rule_files: ['alert-rules.yml'] });
  expect(targets).toContain('/etc/prometheus/alert-rules.yml');
});
