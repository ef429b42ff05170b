// Runs the tests and ends with one line: `N passed, N failed`, and how many were skipped.
//
//   node scripts/test.mjs              all but what needs more than Node and npm: that is skipped
//   node scripts/test.mjs --all        everything; installs Chromium and Redis first where they are missing
//   node scripts/test.mjs --only-all   only what the first one skips (the suites in test/all)
//
// Other arguments go to Jest: node scripts/test.mjs test/dev -t 'port in use'
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const given = process.argv.slice(2);
const onlyAll = given.includes('--only-all');
const all = onlyAll || given.includes('--all');
const forJest = given.filter((arg) => arg !== '--all' && arg !== '--only-all');
// Jest runs what any of several patterns names: one that was given stands alone.
const named = forJest.some((arg) => arg.startsWith('test/'));
// Suites wait for servers, leases and deadlines more than they work.
const workers = os.availableParallelism() + 1;
// One hanging test must not hang everything for ever.
const limitMinutes = all ? 40 : 20;

if (all) installForAll();

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'agent-once-jest-'));
const resultsFile = path.join(folder, 'results.json');
const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    path.join('node_modules', 'jest', 'bin', 'jest.js'),
    `--maxWorkers=${workers}`,
    '--json',
    `--outputFile=${resultsFile}`,
    ...(onlyAll && !named ? ['--testPathPatterns=test/all/', '--passWithNoTests'] : []),
    ...forJest,
  ],
  {
    cwd: root,
    // Jest writes for people to stderr; its JSON is in the file.
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, AGENT_ONCE_TEST_ALL: all ? '1' : '0' },
  },
);

let timedOut = false;
const timer = setTimeout(() => {
  timedOut = true;
  console.error(`\nThe tests did not end within ${limitMinutes} minutes and were stopped.`);
  jest.kill('SIGKILL');
}, limitMinutes * 60_000);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));

const code = await new Promise((resolve) => jest.once('close', resolve));
clearTimeout(timer);
const results = readResults();
fs.rmSync(folder, { recursive: true, force: true });

const passed = results?.numPassedTests ?? 0;
const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
// A suite that could not even be loaded has no tests to count.
let failed = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0);
if (failed === 0 && (code !== 0 || timedOut || results === undefined)) failed = 1;
if (skipped > 0) {
  const suites = (results?.testResults ?? [])
    .filter(({ assertionResults }) => assertionResults.some(({ status }) => status === 'pending'))
    .map(({ name }) => path.relative(root, name));
  console.log(
    `Skipped here, needs a browser or Redis: ${suites.join(', ')}. npm run test:all runs it.`,
  );
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;

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

function readResults() {
  try {
    return JSON.parse(fs.readFileSync(resultsFile, 'utf8'));
  } catch {
    return undefined;
  }
}
