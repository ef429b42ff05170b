// Installs what `npm run test:all` needs besides Node and npm, where it is missing: called by
// test.mjs, silent when there is nothing to do. Only apt-get is used, and only as root.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AgentOnceError } from '../src/contract/errors.ts';
import { findProgram } from '../test/support/find-program.ts';

interface Program {
  name: string;
  /** What Debian and Ubuntu call it. */
  package: string;
  isThere: () => Promise<boolean>;
  /** What to do where it cannot be installed from here. */
  byHand: string;
}

/** For the pages of extras, and for the pictures, which a copy of the template does not have. */
const chromium = new URL('../test/support/browser/find-chromium.ts', import.meta.url);
const CHROMIUM: Program = {
  name: 'Chromium',
  package: 'chromium',
  isThere: async () => {
    const found = (await import(chromium.href)) as { findChromium(): Promise<string | undefined> };
    return (await found.findChromium()) !== undefined;
  },
  byHand: 'install Chromium or Chrome, or set CHROMIUM_PATH to the path of one',
};

/** For the metrics, which can be deleted. */
const metrics = new URL('../src/extras/metrics/', import.meta.url);
const PROMETHEUS: Program = {
  name: 'Prometheus',
  package: 'prometheus',
  isThere: async () => (await findProgram('promtool')) !== undefined,
  byHand: 'install Prometheus 2.40 or later, so that prometheus and promtool are on the PATH',
};

/** What suites in test/all need. */
const PROGRAMS: Program[] = [
  ...(existsSync(chromium) ? [CHROMIUM] : []),
  ...(existsSync(metrics) ? [PROMETHEUS] : []),
  {
    name: 'Redis',
    package: 'redis-server',
    isThere: async () => (await findProgram('redis-server')) !== undefined,
    byHand: 'install Redis 7 or later, so that redis-server is on the PATH',
  },
  {
    name: 'PgBouncer',
    package: 'pgbouncer',
    isThere: async () => (await findProgram('pgbouncer')) !== undefined,
    byHand: 'install PgBouncer 1.18 or later, so that pgbouncer is on the PATH',
  },
];

try {
  process.exitCode = await install();
} catch (error) {
  if (!(error instanceof AgentOnceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function install(): Promise<number> {
  const missing = await findMissing();
  if (missing.length === 0) return 0;
  const packages = missing.map((program) => program.package);
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say(`installing ${missing.map(({ name }) => name).join(', ')} with apt-get`);
    // The lists of packages may be old, or not there at all, as in a fresh container.
    if (!aptInstall(packages) && apt('update')) aptInstall(packages);
  }
  const stillMissing = await findMissing();
  if (stillMissing.length === 0) return 0;
  console.error(
    [
      '\nThe tests need more than is installed here, and it could not be installed:',
      ...stillMissing.map(({ name, byHand }) => `  - ${name}: ${byHand}`),
      `On Debian and Ubuntu: sudo apt-get install ${stillMissing.map((each) => each.package).join(' ')}`,
      'Without them, `npm test` runs all the other tests.',
    ].join('\n'),
  );
  return 1;
}

async function findMissing(): Promise<Program[]> {
  const there = await Promise.all(PROGRAMS.map((program) => program.isThere()));
  return PROGRAMS.filter((_, index) => !there[index]);
}

function aptInstall(packages: readonly string[]): boolean {
  return apt('install', '--yes', '--no-install-recommends', ...packages);
}

/** Whether it worked. What it says goes to stderr. */
function apt(...args: string[]): boolean {
  const { status } = spawnSync('apt-get', ['-qq', ...args], {
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

function say(line: string): void {
  console.error(`test:all: ${line}`);
}
