import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { DEV_PORTS } from '../../../src/config.ts';
import { taskQueues } from '../../../src/contract/names.ts';
import { hasExtra } from '../../support/extras.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = path.join(ROOT, 'deploy/kubernetes');
const NONE_OF_KUBERNETES = 'kustomize.config.k8s.io/';
/** What the worker gives its steps and what it says at /readyz, in seconds, by default. */
const STOPPING = 10 + 5;

/** Packages of what is not Kubernetes' own. */
const MODELS: Record<string, string> = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};
/** Commands of extras that answer requests, and the port of each. */
const SERVED: [command: string, port: number][] = [
  ...(hasExtra('service') ? [['serve', DEV_PORTS.http] as [string, number]] : []),
  ...(hasExtra('encryption') ? [['codec', 8_089] as [string, number]] : []),
];

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata?: { name: string };
}
interface Pod {
  terminationGracePeriodSeconds?: number;
  securityContext?: { runAsNonRoot?: boolean };
  containers: {
    name: string;
    args: string[];
    envFrom?: { secretRef?: { name: string } }[];
    ports?: { name: string; containerPort: number }[];
    livenessProbe?: { httpGet: { path: string; port: string } };
    readinessProbe?: { httpGet: { path: string; port: string } };
    securityContext: object;
  }[];
}

const files = fs
  .readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'));
const found = files.flatMap((file) =>
  parseAllDocuments(fs.readFileSync(path.join(FOLDER, file), 'utf8'), { uniqueKeys: true }).map(
    (document) => {
      expect(document.errors).toEqual([]);
      return { file, manifest: document.toJS() as Manifest & Record<string, unknown> };
    },
  ),
);
const isKustomization = ({ manifest }: (typeof found)[number]) =>
  manifest.apiVersion.startsWith(NONE_OF_KUBERNETES);
const manifests = found.filter((each) => !isKustomization(each));

const podOf = ({ manifest }: (typeof found)[number]): Pod =>
  (manifest as unknown as { spec: { template: { spec: Pod } } }).spec.template.spec;
const named = (kind: string) => manifests.filter(({ manifest }) => manifest.kind === kind);

describe('Kubernetes knows', () => {
  let folder: string;
  beforeAll(() => {
    // Below the repository: there the compiler finds the types.
    fs.mkdirSync(path.join(ROOT, '.cache'), { recursive: true });
    folder = fs.mkdtempSync(path.join(ROOT, '.cache/kubernetes-'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('every field of every manifest', async () => {
    const lines: string[] = [];
    for (const [index, { manifest }] of manifests.entries()) {
      const { apiVersion, kind } = manifest;
      const group = apiVersion.split('/')[0] ?? '';
      const from = `${MODELS[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
      const model = (await import(from)) as Record<
        string,
        new (data: object) => { validate(): void }
      >;
      // Kinds, required fields and forms; the types know which fields there are.
      const Model = model[kind];
      if (Model === undefined) throw new Error(`Kubernetes has no ${apiVersion} ${kind}.`);
      new Model(manifest).validate();
      lines.push(`import type { I${kind} as K${index} } from '${from}';`);
      lines.push(`export const m${index}: K${index} = ${JSON.stringify(manifest)};`);
    }
    const program = path.join(folder, 'manifests.ts');
    fs.writeFileSync(program, lines.join('\n'));
    const options = '--ignoreConfig --noEmit --strict --skipLibCheck --module esnext --types';
    const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const complaints = (): string =>
      spawnSync(
        process.execPath,
        [compiler, ...options.split(' '), '', '--moduleResolution', 'bundler', program],
        { encoding: 'utf8' },
      ).stdout;
    expect(complaints()).toBe('');
    fs.appendFileSync(program, '\nm0.nonsense = 1;');
    expect(complaints()).toContain("'nonsense' does not exist");
  });
});

test('all that a kustomization names is there', () => {
  for (const { file, manifest } of found.filter(isKustomization)) {
    const { resources = [], components = [] } = manifest as {
      resources?: string[];
      components?: string[];
    };
    for (const name of [...resources, ...components]) {
      const at = path.join(FOLDER, path.dirname(file), name);
      expect([file, name, fs.existsSync(at)]).toEqual([file, name, true]);
    }
  }
});

test('no process is root or writes to its image, and each has the time that it needs to stop', () => {
  const pods = [...named('Deployment'), ...named('Job')].map(podOf);
  expect(pods).toHaveLength(2 + SERVED.length);
  for (const pod of pods) {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
    for (const { securityContext } of pod.containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  }
  for (const pod of named('Deployment').map(podOf)) {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(STOPPING);
  }
});

test('what a process is asked for its health is answered at the port of its command', () => {
  const ports = Object.fromEntries(
    named('Deployment').map((each) => {
      const [container] = podOf(each).containers;
      expect(container?.livenessProbe?.httpGet).toMatchObject({ path: '/livez' });
      expect(container?.readinessProbe?.httpGet).toMatchObject({ path: '/readyz' });
      const [port] = container?.ports ?? [];
      expect(container?.readinessProbe?.httpGet.port).toBe(port?.name);
      return [container?.args[0], port?.containerPort];
    }),
  );
  const dockerfile = fs.readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
  const health = Number(/AGENT_ONCE_HEALTH_PORT=(\d+)/.exec(dockerfile)?.[1]);
  expect(ports).toEqual({ worker: health, ...Object.fromEntries(SERVED) });
});

test('no process has secrets that it does not need', () => {
  const secretsOf = (pod: Pod): string[] =>
    pod.containers.flatMap(({ envFrom = [] }) =>
      envFrom.flatMap((each) => each.secretRef?.name ?? []),
    );
  const pods = [...named('Deployment'), ...named('Job')].map(podOf);
  expect(Object.fromEntries(pods.map((pod) => [pod.containers[0]?.name, secretsOf(pod)]))).toEqual({
    worker: ['agent-once-worker'],
    migrate: ['agent-once-owner'],
    ...(hasExtra('service') && { service: ['agent-once-service'] }),
    ...(hasExtra('encryption') && { codec: ['agent-once-codec'] }),
  });
  const variables = Object.fromEntries(
    named('Secret').map(({ manifest }) => {
      const { stringData = {} } = manifest as { stringData?: Record<string, string> };
      return [manifest.metadata?.name, Object.keys(stringData)];
    }),
  );
  expect(variables).toEqual({
    'agent-once-worker': ['TEMPORAL_API_KEY', 'LEDGER_URL', 'OPENAI_API_KEY'],
    'agent-once-service': ['TEMPORAL_API_KEY', 'LEDGER_URL'],
    'agent-once-owner': ['LEDGER_URL'],
    'agent-once-codec': ['AGENT_ONCE_ENCRYPTION_KEYS', 'AGENT_ONCE_CODEC_TOKEN'],
  });
});

test('workers are added by the queues that they work on', () => {
  const queuesOf = (folder: string) =>
    named('ScaledObject')
      .filter(({ file }) => path.dirname(file) === folder)
      .map(({ manifest }) => {
        const { spec } = manifest as unknown as {
          spec: { triggers: { metadata: { taskQueue: string } }[] };
        };
        return spec.triggers[0]?.metadata.taskQueue;
      });
  expect(queuesOf('keda/worker')).toEqual([taskQueues(false).workflows]);
  expect(new Set(queuesOf('keda/split'))).toEqual(new Set(Object.values(taskQueues(true))));
});

test('Prometheus finds the port of each process, and each process tells its metrics there', () => {
  const folder = found.filter(({ file }) => file.startsWith('metrics/'));
  if (!hasExtra('metrics')) {
    expect(folder).toEqual([]);
    return;
  }
  const [monitor] = named('PodMonitor').map(
    ({ manifest }) =>
      manifest['spec'] as {
        selector: { matchLabels: Record<string, string> };
        podMetricsEndpoints: { port: string }[];
      },
  );
  const component = folder.find(isKustomization)?.manifest as unknown as {
    patches: { target: { labelSelector: string }; patch: string }[];
  };
  const [{ target, patch } = { target: { labelSelector: '' }, patch: '' }] = component.patches;
  const [{ path: at, value }] = parse(patch) as [
    { path: string; value: { name: string; containerPort: number } },
  ];
  expect(at).toBe('/spec/template/spec/containers/0/ports/-');
  expect(monitor?.podMetricsEndpoints.map(({ port }) => port)).toEqual([value.name]);
  const overlay = fs.readFileSync(path.join(FOLDER, 'production/kustomization.yaml'), 'utf8');
  expect(overlay).toContain(`AGENT_ONCE_METRICS_PORT=${value.containerPort}`);
  // A pod that the component gives no port is scraped by nobody.
  const [left, leftOut] = target.labelSelector.split('!=');
  expect(left).toBe('app.kubernetes.io/component');
  const [[name, label] = ['', '']] = Object.entries(monitor?.selector.matchLabels ?? {});
  expect(label).not.toBe('');
  for (const each of named('Deployment')) {
    const { metadata, spec } = each.manifest as unknown as {
      metadata: { labels: Record<string, string> };
      spec: { template: { metadata: { labels: Record<string, string> } } };
    };
    if (metadata.labels[left ?? ''] === leftOut) continue;
    expect(metadata.labels[name]).toBe(label);
    expect(spec.template.metadata.labels[name]).toBe(label);
    expect(podOf(each).containers[0]?.ports?.map((port) => port.name)).not.toContain(value.name);
  }
});

test('every setting is one that is documented', () => {
  const configuration = fs.readFileSync(path.join(ROOT, 'docs/configuration.md'), 'utf8');
  const overlay = found.filter(({ file }) => file.startsWith('production/'));
  const names = overlay.flatMap(({ manifest }) => {
    const { stringData = {}, configMapGenerator = [] } = manifest as {
      stringData?: Record<string, string>;
      configMapGenerator?: { literals: string[] }[];
    };
    const literals = configMapGenerator.flatMap((each) => each.literals);
    return [...Object.keys(stringData), ...literals.map((each) => each.split('=')[0] ?? '')];
  });
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !configuration.includes(`\`${name}\``))).toEqual([]);
});
