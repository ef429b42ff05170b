import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { parse } from 'yaml';
import { z } from 'zod';
import { DEV_PORTS, readConfig } from '../../../src/config.ts';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/names.ts';
import { findTemporalCli } from '../../../src/extras/dev/temporal-cli.ts';
import { hasExtra } from '../../support/extras.ts';
import { temporalAddress } from '../../support/servers.ts';
import { variablesRead } from '../../support/variables-read.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const Service = z.object({
  image: z.string(),
  build: z.string().optional(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z
    .record(
      z.string(),
      z.object({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }),
    )
    .default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  ports: z.array(z.string()).default([]),
  restart: z.string().optional(),
  profiles: z.array(z.string()).optional(),
  configs: z.array(z.object({ source: z.string() })).default([]),
  volumes: z.array(z.string()).default([]),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
});
const compose = z
  .object({
    services: z.record(z.string(), Service),
    configs: z.record(
      z.string(),
      z.union([z.object({ content: z.string() }), z.object({ file: z.string() })]),
    ),
    volumes: z.record(z.string(), z.unknown()),
  })
  .parse(parse(read('docker-compose.yml'), { uniqueKeys: true }));
const services = Object.entries(compose.services);
/** Ours: the worker, and the HTTP service where this repository has that. */
const built = services.filter(([, { build }]) => build !== undefined);
const HTTP = `127.0.0.1:${DEV_PORTS.http}:${DEV_PORTS.http}`;
const dockerfile = read('Dockerfile');

function service(name: string): z.output<typeof Service> {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service "${name}".`);
  return found;
}

describe('docker-compose.yml', () => {
  test.each(services)('%s has a pinned image', (_, { image, build }) => {
    expect(image).toMatch(
      build === undefined ? /^[a-z0-9/-]+:v?\d+\.\d+(\.\d+)?$/ : /:\d+\.\d+\.\d+$/,
    );
  });

  test.each(built)('the image of the %s has the version of the package', (_, { image }) => {
    const { name, version } = JSON.parse(read('package.json')) as Record<string, string>;
    expect(image).toBe(`${name}:${version}`);
  });

  test.each(built)('the %s writes nothing but /tmp, and may do nothing special', (_, its) => {
    expect(its).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  test('only Temporal writes to its image, into which Compose copies what stands in the file', () => {
    for (const [name, its] of services) {
      if (its.restart === undefined) continue;
      const copied = its.configs.some(({ source }) => 'content' in (compose.configs[source] ?? {}));
      expect({ name, readOnly: its.read_only ?? false }).toEqual({ name, readOnly: !copied });
      if (!copied) expect(its.tmpfs).toContain('/tmp');
    }
    // Its socket is there.
    expect(service('postgres').tmpfs).toContain('/run/postgresql');
    expect(service('postgres').volumes).toEqual(['postgres:/var/lib/postgresql']);
  });

  test('what it does without has a profile, and nothing else waits for that', () => {
    const extra = services.filter(([, { profiles }]) => profiles !== undefined);
    for (const [, { profiles, ports }] of extra) {
      expect(profiles).toEqual(['observability']);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
    }
    const needed = new Set(services.flatMap(([, { depends_on }]) => Object.keys(depends_on)));
    expect(extra.filter(([name]) => needed.has(name))).toEqual([]);
    const told = read('docker-compose.yml').includes('docker compose --profile observability up');
    expect(told).toBe(extra.length > 0);
  });

  test('every file and volume is there, and used', () => {
    const used = (kind: 'configs' | 'volumes'): string[] =>
      services.flatMap(([, its]) =>
        kind === 'configs'
          ? its.configs.map(({ source }) => source)
          : its.volumes.map((volume) => volume.split(':')[0] ?? ''),
      );
    expect(new Set(used('configs'))).toEqual(new Set(Object.keys(compose.configs)));
    expect(new Set(used('volumes'))).toEqual(new Set(Object.keys(compose.volumes)));
    for (const config of Object.values(compose.configs)) {
      if ('file' in config)
        expect([config.file, existsSync(join(ROOT, config.file))]).toEqual([config.file, true]);
    }
  });

  test('the HTTP service has no key of the model', () => {
    for (const [name, { environment }] of built) {
      const keys = Object.keys(environment).filter((each) => /^OPENAI.*(KEY|HEADERS)/.test(each));
      expect({ name, keys }).toEqual({
        name,
        keys: name === 'worker' ? ['OPENAI_API_KEY', 'OPENAI_CUSTOM_HEADERS'] : [],
      });
    }
  });

  test('worker and service are told the same of keys, metrics, traces and their address', () => {
    const told = built.map(([, { environment }]) =>
      Object.entries(environment).filter(([name]) =>
        /^OTEL_|^AGENT_ONCE_(?!HEALTH|NOTIFY)/.test(name),
      ),
    );
    for (const variables of told) expect(variables).toEqual(told[0]);
    for (const [name, value] of told[0] ?? []) {
      if (name !== 'AGENT_ONCE_METRICS_PORT') expect(value).toBe(`\${${name}:-}`);
    }
    expect(told[0]?.map(([name]) => name)).toContain('AGENT_ONCE_TELEMETRY_KEY');
  });

  test('PostgreSQL takes what Temporal and the workers ask for', () => {
    const most = /max_connections=(\d+)/.exec(service('postgres').command?.join(' ') ?? '')?.[1];
    // Four parts of Temporal with 20 and 10 each, and two pools of ten for each of ours.
    expect(Number(most)).toBeGreaterThan(4 * 30 + 20 * built.length);
  });

  test.each(built)('the %s gets only variables that something reads', (_, { environment }) => {
    const known = new Set([
      ...variablesRead(readConfig),
      ...variablesRead((overrideEnvVars) => loadClientConnectConfig({ overrideEnvVars })),
      // Those of extras, which the page has as they are read.
      ...(read('docs/configuration.md').match(/\b[A-Z]+_[A-Z_]+\b/g) ?? []),
    ]);
    const given = Object.keys(environment);
    expect(given).toEqual(expect.arrayContaining(['LEDGER_URL', 'TEMPORAL_ADDRESS']));
    expect(given.filter((name) => !known.has(name))).toEqual([]);
  });

  test('the worker gets every setting of models, and of who is told, that there is', () => {
    const page = read('docs/configuration.md');
    const documented = [...page.matchAll(/^\| `((?:OPENAI|AGENT_ONCE_NOTIFY)_\w+)`/gm)]
      .map(([, name = '']) => name)
      .filter((name) => hasExtra('notify') || !name.includes('NOTIFY'));
    expect(documented).toContain('OPENAI_STREAM');
    const given = Object.entries(service('worker').environment);
    const names = given.map(([name]) => name);
    expect(documented.filter((name) => !names.includes(name))).toEqual([]);
    // Of the shell that starts Compose, or of the file .env beside it.
    for (const [name, value] of given.filter(([each]) => documented.includes(each))) {
      expect(value).toMatch(new RegExp(`^\\$\\{${name}:[-?]`));
    }
  });

  test.each(built)('the %s has the time that it needs to stop', (_, its) => {
    // For as long it says that it stops, for as long it works on, and its last traces get as long.
    expect(its.stop_grace_period).toMatch(/^\d+s$/);
    expect(Number.parseInt(its.stop_grace_period ?? '')).toBeGreaterThan(5 + 10 + 5);
  });

  test('every command of agent-once in it exists', () => {
    const commands = built.map(([, { command = [] }]) => command);
    const fromImage = z
      .array(z.string())
      .parse(JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? ''));
    for (const args of [...commands, fromImage]) {
      expect(args.length).toBeGreaterThan(0);
      const { status, stdout } = spawnSync(
        process.execPath,
        [join(ROOT, 'bin/agent-once.js'), ...args, '--help'],
        { encoding: 'utf8' },
      );
      expect({ status, usage: stdout.split('\n')[0] }).toEqual({
        status: 0,
        usage: expect.stringContaining(`agent-once ${args[0]}`),
      });
    }
  });

  test('each service waits for one that exists, and that ends or tells its health', () => {
    for (const [name, { depends_on }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const other = service(needed);
        const tells =
          condition === 'service_healthy'
            ? other.healthcheck !== undefined
            : other.restart === undefined;
        expect({ name, needed, tells }).toEqual({ name, needed, tells: true });
      }
    }
  });

  test('every service that stays up tells its health', () => {
    for (const [name, { healthcheck, restart, build }] of services) {
      // The worker's is in the Dockerfile.
      const tells = healthcheck !== undefined || build !== undefined;
      if (restart !== undefined) expect({ name, tells }).toEqual({ name, tells: true });
    }
    expect(dockerfile).toMatch(
      /^HEALTHCHECK .*\\\n\s+CMD \["node", "\/app\/bin\/health-check\.js"\]$/m,
    );
  });

  test('ports are those that the command looks at by default, on this machine only', () => {
    const always = services.filter(([, { profiles }]) => profiles === undefined);
    expect(always.flatMap(([, { ports }]) => ports).sort()).toEqual(
      [
        `127.0.0.1:${DEV_PORTS.postgres}:5432`,
        `127.0.0.1:${DEV_PORTS.temporal}:7233`,
        `127.0.0.1:${DEV_PORTS.ui}:8080`,
        ...built.flatMap(([name]) => (name === 'service' ? [HTTP] : [])),
      ].sort(),
    );
  });

  const inline = compose.configs['temporal-dynamic-config'];
  const settingsOfTemporal = inline && 'content' in inline ? inline.content : '';

  test('the server polls fast enough for short steps, and tells workers of cancellations', () => {
    const settings = z
      .record(z.string(), z.array(z.object({ value: z.union([z.number(), z.boolean()]) })))
      .parse(parse(settingsOfTemporal));
    expect(settings).toEqual({
      'history.transferProcessorMaxPollRPS': [{ value: 5000 }],
      'frontend.WorkerCommandsEnabled': [{ value: true }],
      'system.enableCancelActivityWorkerCommand': [{ value: true }],
    });
  });

  test('the set-up makes the namespace and its search attributes, and may run again', async () => {
    const script = (service('temporal-setup').command?.[0] ?? '').replaceAll('$$', '$');
    const bin = mkdtempSync(join(tmpdir(), 'agent-once-compose-'));
    symlinkSync(await findTemporalCli(), join(bin, 'temporal'));
    const namespace = `compose-${process.pid}`;
    const env = {
      PATH: `${bin}${delimiter}${process.env['PATH']}`,
      TEMPORAL_ADDRESS: temporalAddress(),
      TEMPORAL_NAMESPACE: namespace,
    };
    try {
      execFileSync('/bin/sh', ['-euc', script], { env, stdio: 'pipe' });
      execFileSync('/bin/sh', ['-euc', script], { env, stdio: 'pipe' });
      const listed = z
        .object({ customAttributes: z.record(z.string(), z.string()) })
        .parse(
          JSON.parse(
            execFileSync(
              join(bin, 'temporal'),
              ['operator', 'search-attribute', 'list', '--output', 'json'],
              { env, encoding: 'utf8' },
            ),
          ),
        );
      expect(listed.customAttributes).toMatchObject(
        Object.fromEntries(
          Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [
            name,
            `INDEXED_VALUE_TYPE_${type.toUpperCase()}`,
          ]),
        ),
      );
    } finally {
      rmSync(bin, { recursive: true, force: true });
    }
  });

  test('no secret but the local default', () => {
    const passwords = read('docker-compose.yml').match(/\$\{[A-Z_]*(PASSWORD|KEY)[^}]*\}/g) ?? [];
    expect(new Set(passwords)).toEqual(
      new Set([
        '${POSTGRES_PASSWORD:-postgres}',
        expect.stringMatching(/^\$\{OPENAI_API_KEY:\?/),
        ...(hasExtra('encryption') ? ['${AGENT_ONCE_ENCRYPTION_KEYS:-}'] : []),
        '${AGENT_ONCE_TELEMETRY_KEY:-}',
      ]),
    );
  });
});

describe('Dockerfile', () => {
  const stages = [...dockerfile.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)];

  test('every stage starts from one pinned image', () => {
    expect(stages.length).toBeGreaterThan(1);
    for (const [, image] of stages) expect(image).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim$/);
    expect(new Set(stages.map(([, image]) => image)).size).toBe(1);
  });

  test('what it copies exists and reaches the build', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, sources]) => sources?.split(' ') ?? [],
    );
    expect(copied).toContain('src');
    for (const path of copied) {
      expect({ path, exists: existsSync(join(ROOT, path)) }).toEqual({ path, exists: true });
      expect(allowed).toContain(path.split('/')[0]);
    }
    for (const [, stage] of dockerfile.matchAll(/^COPY --from=(\S+)/gm)) {
      expect(stages.map(([, , name]) => name)).toContain(stage);
    }
  });

  test('it brings the CAs that everybody trusts: the slim image has none', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toMatch(/^RUN apt-get update && apt-get install .*\bca-certificates\b/m);
    expect(last.indexOf('ca-certificates')).toBeLessThan(last.indexOf('\nUSER '));
  });

  test('it says which ports its commands listen on', () => {
    const exposed = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(' ');
    const [, asked = ''] = /\[(process\.env.*)\];/.exec(read('bin/health-check.js')) ?? [];
    expect(exposed).toEqual(asked.match(/\d{4}/g));
  });

  test('it runs as nobody special, with production packages only', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    // By number: Kubernetes takes no name for a user who is not root.
    expect(last).toMatch(/^USER [1-9]\d*:\d+$/m);
    expect(last).not.toMatch(/npm (ci|install)/);
    expect(dockerfile).toMatch(/^RUN npm ci --omit=dev/m);
  });
});
