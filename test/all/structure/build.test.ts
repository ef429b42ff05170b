import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BundleOptions, BundlerPlugin } from '@temporalio/worker';
import { loadPlugins } from '../../../src/client/plugins.ts';
import { copyCheckout, ROOT, type CheckoutCopy } from '../../structure/checkout-copy.ts';
import '../../support/use-app.ts';

const BUILT = join(ROOT, '.cache', `build-test-${process.pid}`);
/** What the Dockerfile puts into the image: the command, what was built, and no sources. */
let image: CheckoutCopy;

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.mjs', '--out-dir', BUILT], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  image = copyCheckout(['package.json'], new Map());
  cpSync(join(ROOT, 'bin'), join(image.folder, 'bin'), { recursive: true });
  cpSync(BUILT, join(image.folder, 'dist'), { recursive: true });
});

afterAll(() => {
  // Nothing to remove where the build itself failed.
  (image as CheckoutCopy | undefined)?.remove();
  rmSync(BUILT, { recursive: true, force: true });
});

function agentOnce(...args: string[]) {
  return spawnSync(process.execPath, [join(image.folder, 'bin/agent-once.js'), ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
}

test.each([['--help'], ['worker', '--help'], ['start', '--help']])(
  'a build answers %s',
  (...args) => {
    const { status, stdout, stderr } = agentOnce(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: agent-once/);
  },
);

test('dev in a build says that it needs a checkout', () => {
  const { status, stderr } = agentOnce('dev');
  expect(status).toBe(2);
  expect(stderr).toContain('run it in a checkout of the project');
});

test('a build has the migrations and the workflows, ready to be loaded', async () => {
  const migrations = (base: string) => readdirSync(join(base, 'ledger/postgres/migrations')).sort();
  expect(migrations(join(image.folder, 'dist'))).toEqual(migrations(join(ROOT, 'src')));
  const bundle = readFileSync(join(image.folder, 'dist/workflow-bundle.js'), 'utf8');
  expect(bundle).toContain('agentRun');
  // The app's own are in it: its entry is where the bundle begins.
  expect(bundle).toContain('app/workflows/index.js');
  // So is what extras add.
  const plugins: BundlerPlugin[] = await loadPlugins();
  const { workflowInterceptorModules = [] } = plugins.reduce<BundleOptions>(
    (options, plugin) => plugin.configureBundler?.(options) ?? options,
    { workflowsPath: '' },
  );
  for (const file of workflowInterceptorModules) {
    expect(bundle).toContain(basename(file).replace(/ts$/, 'js'));
  }
  expect(existsSync(join(image.folder, 'dist/extras/dev/run-dev.js'))).toBe(false);
});

test('a build imports nothing but production packages', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const imported = new Set<string>();
  for (const path of readdirSync(join(image.folder, 'dist'), {
    recursive: true,
    encoding: 'utf8',
  })) {
    if (!path.endsWith('.js') || path === 'workflow-bundle.js') continue;
    const code = readFileSync(join(image.folder, 'dist', path), 'utf8');
    for (const [, name] of code.matchAll(/^(?:import|export)\b[^;]*?from '([^'.][^']*)'/gm)) {
      imported.add(name ?? '');
    }
    for (const [, name] of code.matchAll(/\bimport\('([^'.][^']*)'\)/g)) imported.add(name ?? '');
  }
  const packages = [...imported]
    .filter((name) => !isBuiltin(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  expect(packages).toContain('@temporalio/worker');
  expect(packages.filter((name) => dependencies[name] === undefined)).toEqual([]);
});
