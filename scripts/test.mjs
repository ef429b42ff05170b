// Runs the tests and ends with one line: `N passed, N failed`, and how many were skipped.
//
//   node scripts/test.mjs              the engine's: all but those of extras, and the suites in folders test/all
//   node scripts/test.mjs --all        everything; installs Chromium, Redis, PgBouncer and Prometheus first where they are missing
//   node scripts/test.mjs --only-all   only what the first leaves out, and installs likewise
//   node scripts/test.mjs --quick      what a copy of the template runs as `npm test`: the app's tests, and
//                                      those of the engine that a change of it breaks first
//
// With `--node 24` beside them the tests run on that version of Node, which is fetched from npm. Other
// arguments go to Jest, and beside these `--quick` means nothing:
//   node scripts/test.mjs src/extras/dev/test -t 'port in use'
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { otherNode } from './other-node.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const given = process.argv.slice(2);
const version = given.includes('--node') ? given.splice(given.indexOf('--node'), 2)[1] : undefined;
const node = version === undefined ? process.execPath : otherNode(version);
const onlyAll = given.includes('--only-all');
const all = onlyAll || given.includes('--all');
const forJest = given.filter((arg) => !['--all', '--only-all', '--quick'].includes(arg));
const QUICK = [
  'src/app/',
  'test/(activities|contract|define|replay|structure|workflows)/',
  'test/ledger/postgres.test',
  'test/run/(agent-run|decisions|dedup|killed-worker|throws).test',
];
if (given.includes('--quick') && forJest.length === 0) forJest.push(...QUICK);
// Jest runs what any of several patterns names: one that was given stands alone.
const named = forJest.some((arg) => /(?:^|\/)test(?:\/|$)/.test(arg));
const namedAll = forJest.some((arg) => /(?:^|\/)test\/all/.test(arg));
// Suites wait for servers, leases and deadlines more than they work.
const workers = os.availableParallelism() + 1;
// A net for what hangs: it says nothing about how long the tests take.
const netSeconds = Number(process.env.AGENT_ONCE_TEST_NET_SECONDS ?? 4_500);

if (all) installForAll();

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'agent-once-jest-'));
const resultsFile = path.join(folder, 'results.jsonl');
const jest = spawn(
  node,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    path.join('node_modules', 'jest', 'bin', 'jest.js'),
    // First: an option that takes a list takes all words that follow it.
    ...forJest,
    `--maxWorkers=${workers}`,
    '--reporters=default',
    `--reporters=${path.join(root, 'scripts', 'results-reporter.mjs')}`,
    ...(all || namedAll ? [] : ['--testPathIgnorePatterns=/test/all/']),
    ...(all || forJest.length > 0 ? [] : ['--testPathIgnorePatterns=/src/extras/']),
    ...(onlyAll && !named
      ? ['--testPathPatterns=/test/all/', '--testPathPatterns=/src/extras/']
      : []),
  ],
  {
    cwd: root,
    // A process group of its own: Jest's processes and those that suites start end together.
    detached: true,
    // Jest writes for people to stderr.
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
      AGENT_ONCE_TEST_RESULTS: resultsFile,
    },
  },
);

let torn = false;
const net = setTimeout(() => {
  torn = true;
  console.error(`\nThe tests have not ended within ${netSeconds} s and are stopped.`);
  endAll('SIGKILL');
}, netSeconds * 1_000);
let stoppedBy;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stoppedBy = signal;
    endAll(signal);
  });
}

const [code, signal] = await new Promise((resolve) => jest.once('close', (...how) => resolve(how)));
clearTimeout(net);
const { passed, failed, skipped, unended, unbegun } = countResults();
fs.rmSync(folder, { recursive: true, force: true });

// Nobody has stopped what the suites of a Jest that died had started.
if (code === null) endAll('SIGKILL');
if (code === null && !torn) {
  console.log(`The tests were ended by ${stoppedBy ?? signal}.`);
}
if (unended.length > 0) console.log(`These suites had not ended: ${unended.join(', ')}.`);
if (unbegun > 0) console.log(`${unbegun} more had not begun.`);
if (!all && !named) {
  console.log(
    '`npm run test:all` has the rest: extras, and what kills processes, waits or starts many.',
  );
}
// Whatever it counted: what did not end, or ended badly, is a failure.
const failures = Math.max(failed + unended.length, code === 0 && !torn ? 0 : 1);
console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failures === 0 ? 0 : 1;

function endAll(how) {
  if (jest.pid === undefined) return;
  try {
    process.kill(-jest.pid, how);
  } catch {
    // All of them have ended.
  }
}

function installForAll() {
  const { status } = spawnSync(
    process.execPath,
    ['--import', './bin/register-typescript.js', path.join('scripts', 'install-for-all.ts')],
    { cwd: root, stdio: 'inherit' },
  );
  if (status === 0) return;
  console.log('0 passed, 1 failed');
  process.exit(1);
}

/** Of a suite that has not ended, the tests that have. */
function countResults() {
  const suites = new Map();
  let total = 0;
  for (const line of readLines()) {
    const { suite, status, ended } = line;
    total = line.suites ?? total;
    if (suite === undefined) continue;
    const so = suites.get(suite) ?? { passed: 0, failed: 0, skipped: 0, ended: false };
    if (ended) Object.assign(so, line, { failed: line.failed + (line.broken ? 1 : 0) });
    else if (status === 'passed') so.passed += 1;
    else if (status === 'failed') so.failed += 1;
    suites.set(suite, so);
  }
  const sum = (what) => [...suites.values()].reduce((sofar, each) => sofar + each[what], 0);
  return {
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    unended: [...suites]
      .filter(([, { ended }]) => !ended)
      .map(([suite]) => path.relative(root, suite)),
    unbegun: Math.max(0, total - suites.size),
  };
}

function readLines() {
  if (!fs.existsSync(resultsFile)) return [];
  const lines = fs.readFileSync(resultsFile, 'utf8').split('\n');
  // The last one may be cut off in the middle.
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
