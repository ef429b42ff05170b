import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { importsOf } from '../../../../scripts/import-graph.ts';
import { planCopy } from '../generate/plan-copy.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const plans = new Map<string, ReturnType<typeof planCopy>>();
function plan(extras: string[], example = false): ReturnType<typeof planCopy> {
  const id = `${extras.join()} ${example}`;
  const planned = plans.get(id) ?? planCopy(ROOT, { name: 'my-agents', extras, example });
  plans.set(id, planned);
  return planned;
}

const packageOf = (files: ReadonlyMap<string, string>) =>
  JSON.parse(files.get('package.json') ?? '') as Record<
    'dependencies' | 'devDependencies' | 'scripts',
    Record<string, string>
  >;

describe.each<[title: string, extras: string[], example: boolean]>([
  ['nothing but the engine', ['none'], false],
  ['the default', ['default'], false],
  ['every extra', ['all'], false],
  ['the example', ['none'], true],
])('a copy with %s', (_, extras, example) => {
  let files: Map<string, string>;
  beforeAll(async () => {
    files = await plan(extras, example);
  });

  test('has every file and every package that one of its files imports', () => {
    const { dependencies, devDependencies } = packageOf(files);
    const there = new Set([
      ...files.keys(),
      ...Object.keys({ ...dependencies, ...devDependencies }),
    ]);
    const missing = [...files].flatMap(([file, text]) => {
      if (!file.endsWith('.ts')) return [];
      const imported = importsOf(file, text);
      return [...imported.files, ...imported.packages].filter(
        (each) => !there.has(each) && !each.startsWith('node:'),
      );
    });
    expect(missing).toEqual([]);
  });

  test('has the page that each link of its pages leads to', () => {
    const dead = [...files].flatMap(([page, text]) =>
      page.endsWith('.md')
        ? [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)]
            .map(([, to = '']) => path.posix.join(path.posix.dirname(page), to))
            .filter((file) => ![...files.keys()].some((each) => each.startsWith(file)))
        : [],
    );
    expect(dead).toEqual([]);
  });

  test('has nothing that this repository is about itself', () => {
    const own =
      /^(bench|chaos|fuzz|pictures|prod-like)\/|^docs\/(adr|pictures)\/|docs\/(?:benchmarks|capacity|requirements)|extras\/template/;
    expect([...files.keys()].filter((file) => own.test(file))).toEqual([]);
    expect(files.get('README.md')).toMatch(/^# my-agents\n/);
    expect(files.get('README.md')).not.toContain('{{');
  });
});

test.each<[extras: string[], ours: string[], profile: string[], volumes: string[]]>([
  [['none'], ['worker'], [], []],
  [['service'], ['worker', 'service'], [], []],
  [['traces'], ['worker'], ['jaeger'], []],
  [['metrics'], ['worker'], ['prometheus', 'grafana'], ['prometheus', 'grafana']],
])(
  'docker-compose.yml of a copy with %j has %j of ours, with images of its own, and %j with a profile',
  async (extras, ours, profile, more) => {
    const files = await plan(extras);
    const text = files.get('docker-compose.yml') ?? '';
    const { name, services, configs, volumes } = parse(text) as {
      name: string;
      services: Record<string, { build?: string; image: string; profiles?: string[] }>;
      configs: Record<string, { file?: string }>;
      volumes: object;
    };
    const optional = Object.entries(services).filter(([, { profiles }]) => profiles !== undefined);
    expect(optional.map(([service]) => service)).toEqual(profile);
    const given = Object.values(configs).flatMap(({ file }) => file?.slice(2) ?? []);
    expect(given.filter((file) => !files.has(file))).toEqual([]);
    const setFor = (extra: string, variable: RegExp): void =>
      expect([extra, variable.test(text)]).toEqual([extra, extras.includes(extra)]);
    setFor('traces', /^ +OTEL_|datasources\/jaeger/m);
    setFor('metrics', /^ +AGENT_ONCE_METRICS_PORT/m);
    setFor('encryption', /AGENT_ONCE_ENCRYPTION_KEYS/);
    const built = Object.entries(services).filter(([, { build }]) => build !== undefined);
    expect(built.map(([service]) => service)).toEqual(ours);
    for (const [, { image }] of built) expect(image).toMatch(/^my-agents:/);
    expect({ name, volumes: Object.keys(volumes) }).toEqual({
      name: 'my-agents',
      volumes: ['postgres', ...more],
    });
    expect(text).not.toContain('agent-once:');
    if (!ours.includes('service')) expect(text).not.toMatch(/\bservice\b(?!s)(?!_)/);
  },
);

test('the scripts and packages of a copy are those that it needs', async () => {
  const none = packageOf(await plan(['none']));
  expect(Object.keys(none.scripts)).toEqual(
    expect.arrayContaining(['setup', 'dev', 'test', 'test:all', 'check', 'build']),
  );
  expect(Object.keys(none.scripts)).not.toContain('demo');
  expect(Object.keys(none.scripts)).not.toContain('bench');
  expect(Object.keys(none.dependencies)).not.toContain('redis');
  // The scripted model's server, which production does not have.
  expect(Object.keys(none.dependencies)).not.toContain('fastify');
  expect(Object.keys(none.devDependencies)).toContain('fastify');
  const all = packageOf(await plan(['all']));
  expect(Object.keys(all.dependencies)).toEqual(expect.arrayContaining(['fastify', 'redis']));
});

test('tests that need an extra stay away with it, and so does what they share', async () => {
  const none = [...(await plan(['none'])).keys()];
  expect(none).toContain('test/run/agent-run.test.ts');
  // It makes copies, which no copy can.
  expect(none).not.toContain('test/all/docs/own-agent.test.ts');
  expect(none.filter((file) => file.includes('example'))).toEqual([]);
});

test('the example comes with its agent, its shop and its demo', async () => {
  const files = await plan(['none'], true);
  for (const file of ['src/app/agents/support.ts', 'examples/shop/server.ts']) {
    expect(files.get(file)).toBeDefined();
  }
  expect(files.has('src/app/agents/calendar.ts')).toBe(false);
  expect(packageOf(files).scripts['demo']).toBeDefined();
});

test('what a copy is made of is kept in it, for its upgrades', async () => {
  expect(JSON.parse((await plan(['batch'])).get('agent-once.json') ?? '')).toEqual({
    version: expect.any(String),
    name: 'my-agents',
    example: false,
    extras: ['batch', 'dev', 'upgrade'],
  });
});
